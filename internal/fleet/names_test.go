package fleet_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestText(t *testing.T) {
	for s, want := range map[string]string{
		"":                              "",
		"  lab \t 07\r\n":               "lab 07",
		"a\x00b\x1b[31m\x7f":            "ab[31m",
		"abc\u202egnp.exe":              "abcgnp.exe",
		"\u2066x\u2069\u200b\ufeff":     "x",
		"\xff\xfeB\u00fcro":             "B\u00fcro",
		"Raum\u00a0\u2028 3":            "Raum 3",
		"1234567890123":                 "1234567890",
		"123456789 012":                 "123456789",
		"\u65e5\u672c\u8a9e":            "\u65e5\u672c\u8a9e",
		strings.Repeat("\u00e4", 1<<10): strings.Repeat("\u00e4", 10),
	} {
		if got := fleet.Text(s, 10); got != want {
			t.Errorf("%q: %q, want %q", s, got, want)
		}
	}
}

func FuzzText(f *testing.F) {
	f.Add("lab \u202e 07", 5)
	f.Fuzz(func(t *testing.T, s string, most int) {
		got := fleet.Text(s, most)
		if n := utf8.RuneCountInString(got); n > max(most, 0) || !utf8.ValidString(got) {
			t.Errorf("%d characters of at most %d, %q", n, most, got)
		}
		if fleet.Text(got, most) != got || strings.TrimSpace(got) != got || strings.ContainsAny(got, "\x00\n\u202e") {
			t.Errorf("%q is not clean", got)
		}
	})
}

func TestDefaultName(t *testing.T) {
	for want, inv := range map[string]wire.Inventory{
		"optiplex-7090-5xk2r93":                   optiplex(),
		"elitebook-840-g8-notebook-pc-5cg1234abc": elitebook(),
		"thinkpad-t14-gen-3-pf3abcde":             {Facts: profile.Facts{Maker: "LENOVO", Model: "21AHCTO1WW", Version: "ThinkPad T14 Gen 3", Serial: "PF3ABCDE"}},
		"standard-pc-q35-ich9-2009-123456":        {Facts: profile.Facts{Maker: "QEMU", Model: "Standard PC (Q35 + ICH9, 2009)", MACs: []string{"52:54:00:12:34:56"}}, NICs: []wire.NIC{{MAC: "52:54:00:12:34:56"}}},
		"0b5b4a5e":                                {Facts: profile.Facts{UUID: "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11"}},
		"machine":                                 {},
		"a-model-whose-name-has-far-too-many-45678901234567890123": {Facts: profile.Facts{Model: "A model whose name has far too many words to be read", Serial: "12345678901234567890123"[0:3] + "45678901234567890123"}},
	} {
		got := fleet.DefaultName(inv)
		if want != got || fleet.HostnameProblem(got) != "" && got != "0b5b4a5e" {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestUniqueName(t *testing.T) {
	taken := map[string]bool{}
	for range 200 {
		name := fleet.UniqueName(strings.Repeat("long-", 12)+"end", func(s string) bool { return taken[s] })
		if taken[name] || fleet.HostnameProblem(name) != "" || fleet.NameProblem(name) != "" {
			t.Fatal(name)
		}
		taken[name] = true
	}
}

func TestMAC(t *testing.T) {
	for s, want := range map[string]string{
		"A4-BB-6D-11-22-33": "a4:bb:6d:11:22:33", "a4bb.6d11.2233": "a4:bb:6d:11:22:33", "A4BB6D112233": "a4:bb:6d:11:22:33",
		" a4:bb:6d:11:22:33 ": "a4:bb:6d:11:22:33", "a4:bb:6d:11:22": "", "a4:bb:6d:11:22:3g": "", "a:4bb:6d:11:22:33": "", "": "", "\u0661\u0661:::::": "",
	} {
		if got := fleet.MAC(s); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
}

func TestClean(t *testing.T) {
	long := strings.Repeat("\u202ex\x00 ", 10_000)
	inv := wire.Inventory{
		Facts:      profile.Facts{Maker: long, Serial: long, UUID: long, MACs: []string{"A4-BB-6D-11-22-33", "no"}, Firmware: "<script>", Devices: make([]profile.Device, 5000)},
		SecureBoot: "maybe", Cores: -1, Memory: -1, CPU: long,
		Disks: make([]wire.Disk, 1000), NICs: make([]wire.NIC, 1000), Notes: make([]string, 1000),
	}
	inv.Disks[0] = wire.Disk{Serial: long, Size: -5, Holds: long}
	got := fleet.Clean(inv)
	if len(got.Disks) != 64 || len(got.NICs) != 64 || len(got.Notes) != 32 || len(got.Devices) != 1024 {
		t.Error(len(got.Disks), len(got.NICs), len(got.Notes), len(got.Devices))
	}
	if len(got.Maker) != 199 || got.Disks[0].Size != 0 || got.Firmware != "" || got.SecureBoot != "" || !reflect.DeepEqual(got.MACs, []string{"a4:bb:6d:11:22:33"}) {
		t.Errorf("%d %+v %q %q %q", len(got.Maker), got.Disks[0].Size, got.Firmware, got.SecureBoot, got.MACs)
	}
	if inv.Disks[0].Size != -5 {
		t.Error("what was given was changed")
	}
	if !reflect.DeepEqual(fleet.Clean(got), got) {
		t.Error("cleaning twice is not cleaning once")
	}
}

func TestProblemsOfNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"lab-07": true, "Raum 3 / Süd": false, "Raum 3 Süd": true, "": false, " x": false, "a\u202eb": false, "a  b": false, "m,x": false,
		strings.Repeat("ä", 63): true, strings.Repeat("ä", 64): false,
	} {
		if (fleet.NameProblem(name) == "") != ok {
			t.Errorf("name %q: %q", name, fleet.NameProblem(name))
		}
	}
	for name, ok := range map[string]bool{
		"lab-07": true, "LAB07": true, "lab.local": false, "-lab": false, "lab-": false, "123": false, "localhost": false, "": false,
		strings.Repeat("a", 63): true, strings.Repeat("a", 64): false, "büro": false,
	} {
		if (fleet.HostnameProblem(name) == "") != ok {
			t.Errorf("host name %q: %q", name, fleet.HostnameProblem(name))
		}
	}
}
