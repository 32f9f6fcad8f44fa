package loader

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var boot = Boot{
	Server: netip.MustParseAddr("10.77.0.1"), HTTP: true, Why: "Job 17 (deploy) waits for it.",
	Args: Args{Facts: []Fact{{"server", "https://10.77.0.1:8443"}, {"mac", "52:54:00:12:34:56"}}},
}

func everyText(t *testing.T, b Boot) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, p := range []Program{GRUB, IPXE} {
		for what, write := range map[string]func(Program, Boot) ([]byte, error){"first": First, "agent": Agent, "disk": OwnDisk} {
			text, err := write(p, b)
			if err != nil {
				t.Fatal(err)
			}
			all[p.String()+"-"+what] = string(text)
		}
	}
	return all
}

// The texts are kept, so that a change of them is seen. INGOT_UPDATE=1 keeps new ones.
func TestGolden(t *testing.T) {
	for name, got := range everyText(t, boot) {
		golden := filepath.Join("testdata", name)
		if os.Getenv("INGOT_UPDATE") != "" {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(golden); err != nil || got != string(want) {
			t.Errorf("%s: %v; got\n%s", name, err, got)
		}
	}
}

// GRUB's own checker reads what GRUB is given.
func TestGRUBSyntax(t *testing.T) {
	for name, text := range everyText(t, boot) {
		if strings.HasPrefix(name, "grub") {
			check := exec.Command("grub-script-check")
			check.Stdin = strings.NewReader(text)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

// Nothing that a value holds becomes a command.
func TestHostileValues(t *testing.T) {
	calm, hostile := everyText(t, boot), boot
	hostile.Why = "it's \"x\"; reboot && halt || exit\n}\nboot ${net0/mac} $prefix $(id) `id` \\ # \r\x00\x1b[2J é" + strings.Repeat("a", 500)
	for name, text := range everyText(t, hostile) {
		for i, line := range strings.Split(text, "\n") {
			if want := strings.Split(calm[name], "\n")[i]; line != want && (!strings.HasPrefix(strings.Trim(line, "' "), "echo") || strings.ContainsAny(strings.TrimPrefix(strings.TrimSuffix(line, "'"), "echo '"), ";&|`$\"\\{}#'\r\x00\x1b") || len(line) > 350) {
				t.Errorf("%s line %d: %q", name, i, line)
			}
		}
	}
	for _, f := range []Fact{{"x", "a b"}, {"x", ""}, {"x", "a;b"}, {"x", "a\nb"}, {"x", "$x"}, {"x", "'"}, {"X", "a"}, {"a b", "c"}, {"", "c"}, {"x", strings.Repeat("a", 201)}, {"x", "ü"}} {
		b := boot
		b.Args.Facts = []Fact{f}
		if text, err := Agent(GRUB, b); err == nil {
			t.Errorf("%+v is on the command line:\n%s", f, text)
		}
	}
	for _, c := range []string{"", "tty0 init=/bin/sh", "ttyS0,115200;", "hvc0"} {
		b := boot
		b.Args.Console = []string{c}
		if _, err := Agent(IPXE, b); err == nil {
			t.Errorf("console %q is accepted", c)
		}
	}
	long := boot
	for i := range 20 {
		long.Args.Facts = append(long.Args.Facts, Fact{fmt.Sprintf("x%d", i), strings.Repeat("a", 150)})
	}
	if _, err := Agent(GRUB, long); err == nil {
		t.Error("a command line that is too long is accepted")
	}
	if _, err := First(GRUB, Boot{}); err == nil {
		t.Error("no server address is accepted")
	}
}

func TestSecond(t *testing.T) {
	mac := net.HardwareAddr{0x52, 0x54, 0, 0x12, 0xab, 0xcd}
	for p, want := range map[Program]string{GRUB: "grub/pc/52:54:00:12:ab:cd.cfg", IPXE: "ipxe/52-54-00-12-ab-cd.ipxe"} {
		name := p.Second(mac)
		got, gotMAC, ok := ParseSecond(name)
		if name != want || !ok || got != p || gotMAC.String() != mac.String() {
			t.Errorf("%v: %s reads as %v %v %v", p, name, got, gotMAC, ok)
		}
	}
	for _, name := range []string{"", "grub/pc/.cfg", "grub/pc/x.cfg", "grub/pc/52:54:00:12:ab.cfg", "ipxe/52:54:00:12:ab:cd.ipxe", "grub/pc/52:54:00:12:ab:cd.cfg.cfg", "grub/pc/00:00:00:00:fe:80:00:00:00:00:00:00:02:00:5e:10:00:00:00:01.cfg"} {
		if _, _, ok := ParseSecond(name); ok {
			t.Errorf("%q is taken for a second text", name)
		}
	}
}
