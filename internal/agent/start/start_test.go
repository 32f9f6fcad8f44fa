package start

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"golang.org/x/sys/unix"
)

func debian(t *testing.T) *Modules {
	t.Helper()
	m, err := ReadModules(os.DirFS("testdata/modules"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMatch(t *testing.T) {
	m := debian(t)
	for modalias, want := range map[string][]string{
		"pci:v00008086d00005511sv000017AAsd00002219bc02sc00i00": {"e1000e"},
		"pci:v00008086d0000467Fsv00000000sd00000000bc01sc04i00": {"vmd"},
		"pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02": {"nvme"},
		"virtio:d00000001v00001AF4":                             {"virtio_net"},
		"pci:v0000DEADd0000BEEFsv00000000sd00000000bc02sc00i00": nil,
		"nonsense": nil,
	} {
		if got := m.Match(modalias); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", modalias, got, want)
		}
	}
}

// TestOrder checks that nothing is loaded before what it needs.
func TestOrder(t *testing.T) {
	m := debian(t)
	for name := range m.files {
		order := m.Order(name)
		if !slices.Contains(order, name) {
			t.Errorf("%s is not in %v", name, order)
		}
		for i, n := range order {
			for _, need := range m.needs[n] {
				if at := slices.Index(order, need); at < 0 || at > i {
					t.Errorf("%s: %s is loaded before %s", name, n, need)
				}
			}
		}
	}
	// ext4 does not name crc32c, and does not mount without it.
	if order := m.Order("ext4"); !slices.Contains(order, "crc32c_generic") {
		t.Error(order)
	}
	if order := m.Order("virtio-net"); !slices.Contains(order, "virtio_net") {
		t.Error(order)
	}
	if order := m.Order("ipmi_msghandler"); order[len(order)-1] != "ipmi_devintf" {
		t.Error(order)
	}
	if order := m.Order("libblake2s_x86_64"); len(order) != 0 || !m.Has("libblake2s_x86_64") {
		t.Errorf("%v are loaded for what is built in", order)
	}
}

func TestBan(t *testing.T) {
	m := debian(t)
	if err := m.Ban(fstest.MapFS{"a.conf": {Data: []byte("# no\nblacklist virtio-net\noptions x y=1\n")}, "b": {Data: []byte("blacklist nvme\n")}}); err != nil {
		t.Fatal(err)
	}
	if got := m.Match("virtio:d00000001v00001AF4"); got != nil {
		t.Errorf("%v", got)
	}
	if len(m.Match("pci:v0000144Dd0000A808sv0000144Dsd0000A801bc01sc08i02")) != 1 || len(m.Order("virtio_net")) == 0 {
		t.Error("too much is banned")
	}
}

func TestHostileIndex(t *testing.T) {
	m, err := ReadModules(fstest.MapFS{
		"modules.dep":     {Data: []byte("a.ko: b.ko\nb.ko: a.ko\n../../etc/x.ko:\nnonsense\n")},
		"modules.softdep": {Data: []byte("softdep a pre: c post: a\nsoftdep c pre: a\nsoftdep\n")},
		"modules.alias":   {Data: []byte("alias c a\nalias x\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if order := m.Order("a"); len(order) != 2 || m.File("x") != "" {
		t.Errorf("%v", order)
	}
	if _, err := ReadModules(fstest.MapFS{}); err == nil {
		t.Error("no modules.dep is no error")
	}
	if _, err := ReadModules(fstest.MapFS{"modules.dep": {Data: bytes.Repeat([]byte("a"), 2<<20)}}); err == nil {
		t.Error("an endless line is no error")
	}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"usb:v046Dp*d*dc*", "usb:v046DpC52Bd1211dc00", true}, {"a[0-3]c", "a2c", true}, {"a[0-3]c", "a4c", false},
		{"*a*b*", "xxaxxbxx", true}, {"*a*b", "ab a", false}, {"a/*", "a/b/c", true}, {"", "", true}, {"*", "", true}, {"?", "", false}, {"[", "[", true},
	} {
		if got := glob(c.pattern, c.s); got != c.want {
			t.Errorf("glob(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

// FuzzGlob compares with path.Match, which knows the same patterns but for slashes,
// escapes, and what is wrong with sets.
func FuzzGlob(f *testing.F) {
	f.Add("pci:v*d*", "pci:v1d2")
	f.Add("a[a-c]?", "abx")
	f.Add(strings.Repeat("*a", 30), strings.Repeat("a", 60))
	f.Fuzz(func(t *testing.T, pattern, s string) {
		got := glob(pattern, s)
		if strings.ContainsAny(pattern+s, `/\[]^`) || len(pattern)+len(s) > 100 || strings.ContainsFunc(pattern+s, func(r rune) bool { return r >= 0x80 }) {
			return
		}
		if want, err := path.Match(pattern, s); err == nil && got != want {
			t.Errorf("glob(%q, %q) = %v", pattern, s, got)
		}
	})
}

func FuzzModules(f *testing.F) {
	f.Add("kernel/a.ko: kernel/b.ko\nkernel/b.ko:", "alias pci:* a", "softdep a pre: b post: c", "pci:x")
	f.Fuzz(func(t *testing.T, dep, alias, soft, ask string) {
		m, err := ReadModules(fstest.MapFS{"modules.dep": {Data: []byte(dep)}, "modules.alias": {Data: []byte(alias)}, "modules.softdep": {Data: []byte(soft)}})
		if err != nil {
			return
		}
		for _, name := range append(m.Match(ask), ask) {
			seen := map[string]bool{}
			for _, n := range m.Order(name) {
				if seen[n] || !fs.ValidPath(m.File(n)) {
					t.Errorf("%q: %q", name, n)
				}
				seen[n] = true
			}
		}
	})
}

func TestParams(t *testing.T) {
	got := Params(`BOOT_IMAGE=/vmlinuz ro ingot.server=https://10.0.0.1:8443 x="a b" "y=c d" ingot.server=https://10.0.0.2:8443` + "\n")
	want := map[string]string{"BOOT_IMAGE": "/vmlinuz", "ro": "", "ingot.server": "https://10.0.0.2:8443", "x": "a b", "y": "c d"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestParseIP(t *testing.T) {
	for value, want := range map[string]string{
		"dhcp": "", "": "", ":::::eth0:dhcp": "", "on": "",
		"10.0.0.9::10.0.0.1:255.255.255.0:name:eth0:off:10.0.0.53:10.0.0.54": "10.0.0.9/24 10.0.0.1 eth0 [10.0.0.53 10.0.0.54]",
		"10.0.0.9::10.0.0.1:22":   "10.0.0.9/22 10.0.0.1  []",
		"192.168.7.9":             "192.168.7.9/24 invalid IP  []",
		"172.16.0.9/12":           "172.16.0.9/12 invalid IP  []",
		"10.0.0.9::x":             "error",
		"10.0.0.9:::255.0.255.0":  "error",
		"10.0.0.9:::255.255.0.x":  "error",
		"10.0.0.999":              "error",
		"10.0.0.9:::33":           "error",
		"10.0.0.9:::::::nonsense": "error",
	} {
		s, err := ParseIP(value)
		got := ""
		if s != nil {
			got = fmt.Sprint(s.Address, " ", s.Gateway, " ", s.Device, " ", s.DNS)
		}
		if err != nil {
			got = "error"
		}
		if got != want {
			t.Errorf("ip=%s: %q, want %q (%v)", value, got, want, err)
		}
	}
}

func FuzzParseIP(f *testing.F) {
	f.Add("10.0.0.9::10.0.0.1:255.255.255.0:name:eth0:off:10.0.0.53")
	f.Add("10.0.0.9:::1.")
	f.Fuzz(func(t *testing.T, value string) {
		if s, err := ParseIP(value); err == nil && s != nil && !s.Address.IsValid() {
			t.Errorf("%q: %+v", value, s)
		}
	})
}

func TestParseEvent(t *testing.T) {
	e := parseEvent([]byte("add@/devices/pci0000:00/0000:00:14.0/usb1/1-1\x00ACTION=add\x00SUBSYSTEM=usb\x00MODALIAS=usb:v0BDAp8153\x00SEQNUM=1\x00"))
	if e != (event{"add", "usb", "usb:v0BDAp8153"}) {
		t.Errorf("%+v", e)
	}
}

func TestParseConsoles(t *testing.T) {
	got := parseConsoles("tty0                 -WU (EC p  )    4:1\nttyS1                -W- (E  p a)    4:65\nnetcon0 --- (E)\n")
	if want := []Console{{"/dev/tty1", false}, {"/dev/ttyS1", true}}; !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if got := parseConsoles(""); len(got) != 1 || got[0].Path != "/dev/tty1" {
		t.Errorf("%+v", got)
	}
}

// ofServer is a datagram from a DHCP server, as rawUDP receives it.
func ofServer(payload []byte) []byte {
	b := datagram(payload)
	b[20], b[21], b[22], b[23] = 0, serverPort, 0, clientPort
	return b
}

func TestDatagram(t *testing.T) {
	b := datagram([]byte("hello"))
	if checksum(b[:20]) != 0 || len(b) != 33 || b[9] != 17 || b[22] != 0 || b[23] != serverPort {
		t.Errorf("% x", b)
	}
	if forClient(b) != nil {
		t.Error("a client takes what clients send")
	}
	if got := forClient(append(ofServer([]byte("hello")), 0, 0, 0)); string(got) != "hello" {
		t.Errorf("%q", got)
	}
}

func FuzzForClient(f *testing.F) {
	f.Add(ofServer([]byte("hello")))
	f.Add([]byte{0x4f})
	nic := net.Interface{HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	m, _ := dhcpv4.NewDiscovery(nic.HardwareAddr)
	f.Add(ofServer(m.ToBytes()))
	f.Fuzz(func(t *testing.T, b []byte) {
		p := forClient(b)
		if a := answerTo(m, nic, p, []dhcpv4.MessageType{dhcpv4.MessageTypeOffer}); a != nil {
			_, _ = leaseOf(a)
		}
	})
}

func TestAnswers(t *testing.T) {
	nic := net.Interface{Name: "eth0", HardwareAddr: net.HardwareAddr{2, 0, 0, 0, 0, 1}}
	discover, err := dhcpv4.NewDiscovery(nic.HardwareAddr)
	if err != nil {
		t.Fatal(err)
	}
	offer := func(modifiers ...dhcpv4.Modifier) []byte {
		m, err := dhcpv4.NewReplyFromRequest(discover, append([]dhcpv4.Modifier{
			dhcpv4.WithMessageType(dhcpv4.MessageTypeOffer), dhcpv4.WithYourIP(net.IP{10, 0, 0, 9}), dhcpv4.WithNetmask(net.CIDRMask(24, 32)),
			dhcpv4.WithOption(dhcpv4.OptRouter(net.IP{10, 0, 0, 1})), dhcpv4.WithOption(dhcpv4.OptDNS(net.IP{10, 0, 0, 53})), dhcpv4.WithLeaseTime(3600),
		}, modifiers...)...)
		if err != nil {
			t.Fatal(err)
		}
		return m.ToBytes()
	}
	types := []dhcpv4.MessageType{dhcpv4.MessageTypeOffer}
	a := answerTo(discover, nic, offer(), types)
	if a == nil {
		t.Fatal("an offer is none")
	}
	l, err := leaseOf(a)
	want := Lease{Address: netip.MustParsePrefix("10.0.0.9/24"), Gateway: netip.MustParseAddr("10.0.0.1"), DNS: []netip.Addr{netip.MustParseAddr("10.0.0.53")}, Length: time.Hour, Renew: 30 * time.Minute}
	if err != nil || !reflect.DeepEqual(l, want) {
		t.Errorf("%+v, %v", l, err)
	}
	for name, b := range map[string][]byte{
		"of ProxyDHCP":      offer(dhcpv4.WithYourIP(net.IPv4zero)),
		"to somebody else":  offer(dhcpv4.WithHwAddr(net.HardwareAddr{2, 0, 0, 0, 0, 9})),
		"of another time":   offer(dhcpv4.WithTransactionID(dhcpv4.TransactionID{1, 2, 3, 4})),
		"of another kind":   offer(dhcpv4.WithMessageType(dhcpv4.MessageTypeAck)),
		"that is cut short": offer()[:100],
	} {
		if answerTo(discover, nic, b, types) != nil {
			t.Errorf("an offer %s is taken", name)
		}
	}
	for _, ip := range []net.IP{{255, 255, 255, 255}, {127, 0, 0, 1}, {224, 0, 0, 1}} {
		if a := answerTo(discover, nic, offer(dhcpv4.WithYourIP(ip)), types); a != nil {
			if l, err := leaseOf(a); err == nil {
				t.Errorf("%v became the lease %+v", ip, l)
			}
		}
	}
}

func TestResolv(t *testing.T) {
	leases := map[string]Lease{
		"a": {Domain: "lab.test", DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")}},
		"b": {Domain: "x\nnameserver 6.6.6.6", DNS: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.3"), netip.MustParseAddr("10.0.0.4")}},
	}
	if got := string(resolv([]string{"a", "b"}, leases)); got != "search lab.test\nnameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n" {
		t.Errorf("%q", got)
	}
}

func TestStrikes(t *testing.T) {
	s := strikesIn(t.TempDir())
	for range mostStrikes {
		if !s.may() {
			t.Fatal("a restart is refused")
		}
		s.add()
	}
	if s.may() {
		t.Error("a machine may restart for ever")
	}
	s.clear()
	if !s.may() || s.count != 0 {
		t.Error("a success does not count")
	}
	nowhere := strikesIn("/nonexistent")
	if nowhere.may() {
		t.Error("a machine that cannot count restarts")
	}
}

func TestEnded(t *testing.T) {
	for status, want := range map[unix.WaitStatus]string{0: "ended with code 0", 2 << 8: "ended with code 2", 9: "was ended by signal 9 (killed)"} {
		if got := ended(status, false); got != want {
			t.Errorf("%x: %q", int(status), got)
		}
	}
	if got := ended(9, true); got != "did not answer and was ended" {
		t.Error(got)
	}
}

func TestLastWords(t *testing.T) {
	file := t.TempDir() + "/log"
	if err := os.WriteFile(file, []byte(strings.Repeat("x\n", 20000)+"a\n\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lastWords(file, 2); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q", got)
	}
	if err := os.WriteFile(file, []byte("a\npanic: why\n"+strings.Repeat("goroutine\n\n", 9000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := lastWords(file, 2); !slices.Equal(got, []string{"panic: why", "goroutine"}) {
		t.Errorf("%q", got)
	}
	if got := lastWords(file+"x", 2); got != nil {
		t.Errorf("%q", got)
	}
}

func TestModprobeIsNotACommand(t *testing.T) {
	for _, args := range [][]string{nil, {"agent"}, {"deploy", "-q", "--"}, {"-q", "--"}} {
		if _, ok := Modprobe(args); ok {
			t.Errorf("%q", args)
		}
	}
}
