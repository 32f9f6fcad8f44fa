package drivers

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ingot-imaging/ingot/internal/profile"
)

func library(files map[string]string) fs.FS {
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	return fsys
}

func load(t *testing.T, files map[string]string) *Library {
	t.Helper()
	l, problems, err := Load(library(files))
	if err != nil || len(problems) > 0 {
		t.Fatalf("%v, %v", problems, err)
	}
	return l
}

var latitude = profile.Facts{Maker: "Dell Inc.", Model: "Latitude 5420", SKU: "0A20", Devices: []profile.Device{
	{Bus: "pci", ID: "8086:15f3", Class: "020000", Subsys: "1028:0001", Modalias: "pci:v00008086d000015F3sv00001028sd00000001bc02sc00i00"},
	{Bus: "pci", ID: "8086:467f", Class: "010400", Modalias: "pci:v00008086d0000467Fsv00000000sd00000000bc01sc04i00"},
	{Bus: "pci", ID: "8086:4621", Class: "060000"},
	{Bus: "usb", ID: "06cb:00f9", Class: "ff", Modalias: "usb:v06CBp00F9d0000dcFFdsc10dpFFicFFisc00ip00in00"},
}}

func names(c Choice) string {
	var all []string
	for _, s := range c.Sets {
		all = append(all, s.Name)
	}
	return strings.Join(all, " ")
}

func TestMatch(t *testing.T) {
	win := Target{OS: Windows, Versions: []string{"11", "26100"}}
	for text, want := range map[string]bool{
		"":                                      true,
		"maker: Dell\nmodel: latitude 5420":     true,
		"maker: [HP, DELL]":                     true,
		"maker: 'D*'\nmodel: ['Latitude 54?0']": true,
		"model: [Latitude 5430, 'Lat*']":        true,
		"model: Latitude 542":                   false,
		"maker: HP\nmodel: Latitude 5420":       false,
		"sku: 0a2[0-9]":                         true,
		"os: windows\nversions: [10, 11]":       true,
		"os: Windows\nversions: 10":             false,
		"os: linux":                             false,
		"pci: '8086:15F3'":                      true,
		"pci: '8086:ffff'\nusb: ['06cb:00f9']":  true,
		"usb: '8086:15f3'":                      false,
		"maker: Dell\npci: ['8086:ffff']":       false,
	} {
		l := load(t, map[string]string{"x/match.yaml": text, "x/a.inf": intel, "x/e1d.cat": ""})
		c, err := l.Choose(t.Context(), latitude, win)
		if err != nil || (len(c.Sets) == 1) != want {
			t.Errorf("%q: chosen %v, %v; want %v", text, c.Sets, err, want)
		}
	}
}

func TestMakers(t *testing.T) {
	for _, same := range [][]string{
		{"Dell Inc.", "Dell", "DELL", "dell inc"}, {"HP", "Hewlett-Packard", "Hewlett Packard Enterprise", "HP Inc."}, {"LENOVO", "Lenovo"},
		{"ASUSTeK COMPUTER INC.", "ASUS", "Asus Computer International"}, {"Micro-Star International Co., Ltd.", "MSI"}, {"Microsoft Corporation", "Microsoft"},
	} {
		for _, name := range same {
			if !sameMaker(same[0], name) || sameMaker("Fujitsu", name) {
				t.Errorf("%s is not %s, or is Fujitsu", name, same[0])
			}
		}
	}
}

func TestMatchProblems(t *testing.T) {
	for text, want := range map[string]string{
		"model: [a":                     "x/match.yaml",
		"modell: a":                     `x/match.yaml:1:1: modell: the key "modell" is not known`,
		"model: a\nmodel: b":            `x/match.yaml:2:1`,
		"- a":                           `x/match.yaml:1:1: write keys with values`,
		"os: beos":                      `x/match.yaml:1:5: os: write linux or windows`,
		"os: windows\npci: [\"15f3\"]":  `x/match.yaml:2:7: pci: "15f3" is not vendor:device`,
		"model: {a: b}":                 `x/match.yaml:1:8: model: write a text`,
		"model: []":                     `x/match.yaml:1:8: model: it has 0 values`,
		"model: '['":                    `is not a pattern`,
		"model:":                        `x/match.yaml:1:7: model: write a text`,
		"priority: high":                `x/match.yaml:1:11: priority: write a whole number`,
		"priority: 99999":               `x/match.yaml:1:11: priority: write a whole number`,
		"a: &x [b]\nmodel: *x":          `x/match.yaml:1:1`,
		"model: a\n---\nmodel: b":       `more than one document`,
		strings.Repeat("#", maxMatch+1): `at most`,
	} {
		l, problems, err := Load(library(map[string]string{"x/match.yaml": text, "x/a.inf": "", "y/match.yaml": "", "y/a.deb": ""}))
		if err != nil || len(l.Sets) != 1 || l.Sets[0].Name != "y" {
			t.Errorf("%q: sets %v, %v", text, l.Sets, err)
		}
		if len(problems) == 0 || !strings.Contains(fmt.Sprint(problems), want) {
			t.Errorf("%q: %v, want %s", text[:min(len(text), 40)], problems, want)
		}
	}
}

func TestLoad(t *testing.T) {
	l, problems, err := Load(library(map[string]string{
		"intel/match.yaml":     "pci: '8086:15f3'",
		"intel/net/e1d.inf":    intel,
		"intel/net/match.yaml": "",
		"loose.inf":            "",
		"single/driver.deb":    "",
		"README.md":            "",
		".git/config":          "",
		"Out-of-box Drivers/Dell Inc/Latitude 5420/net/e1d.inf":       intel,
		"Out-of-box Drivers/Dell Inc/Latitude 5420/audio/a.inf":       "",
		"Out-of-box Drivers/LENOVO/21AH/x.inf":                        "",
		"Out-of-box Drivers/Windows 10 x64/HP/EliteBook 840 G8/a.inf": "",
		"Out-of-box Drivers/WinPE x64/Intel/net/a.inf":                "",
		"Fujitsu/ESPRIMO Q957/firmware/i915/x.bin":                    "",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range l.Sets {
		got = append(got, fmt.Sprintf("%s %s %v %d", s.Name, s.Match.OS, s.Match.Versions, len(s.files)))
	}
	want := []string{
		"Fujitsu/ESPRIMO Q957 linux [] 1",
		"Out-of-box Drivers/Dell Inc/Latitude 5420 windows [] 2",
		"Out-of-box Drivers/LENOVO/21AH windows [] 1",
		"Out-of-box Drivers/Windows 10 x64/HP/EliteBook 840 G8 windows [10] 1",
		"intel  [] 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("sets\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	all := " " + strings.Trim(fmt.Sprint(problems), "[]")
	for _, want := range []string{"intel/net/match.yaml: it lies inside the set intel", " .: it holds", "single: it holds drivers and is in no set"} {
		if len(problems) != 3 || !strings.Contains(all, want) {
			t.Errorf("problems %v, want %s", problems, want)
		}
	}
	for facts, want := range map[string]string{
		"Dell Inc.|Latitude 5420|":             "Out-of-box Drivers/Dell Inc/Latitude 5420",
		"LENOVO|21AHCTO1WW|ThinkPad T14 Gen 3": "Out-of-box Drivers/LENOVO/21AH",
		"Hewlett-Packard|EliteBook 840 G8|":    "",
		"Dell Inc.|Latitude 5430|":             "",
	} {
		f := strings.Split(facts, "|")
		c, err := l.Choose(t.Context(), profile.Facts{Maker: f[0], Model: f[1], Version: f[2]}, Target{OS: Windows, Versions: []string{"11"}})
		if err != nil || names(c) != want {
			t.Errorf("%s: %s, %v", facts, names(c), err)
		}
	}
	if _, _, err := Load(fstest.MapFS{}); err != nil {
		t.Errorf("an empty library: %v", err)
	}
	if _, _, err := Load(brokenFS{}); err == nil {
		t.Error("a folder that is not there is a library")
	}
}

type brokenFS struct{}

func (brokenFS) Open(string) (fs.File, error) { return nil, fs.ErrNotExist }

// claimAll and claimNone are systems that bring everything, or nothing.
type claim func(profile.Device) bool

func (c claim) Claims(d profile.Device) bool { return c(d) }

func TestUnclaimed(t *testing.T) {
	nothing := claim(func(profile.Device) bool { return false })
	l := load(t, map[string]string{
		"nic/match.yaml": "os: windows\npriority: 5", "nic/e1d.inf": intel, "nic/e1d.cat": "", "nic/broken.inf": "\x00\x01", "nic/unsigned.inf": intel + "[Version]\nCatalogFile.NTamd64=gone.cat\n",
		"vmd/match.yaml": "os: windows\npci: '8086:467f'", "vmd/readme.txt": "",
		"all/match.yaml": "priority: 9", "all/x.inf": "[Manufacturer]\nx=y,NTx86\n[y.NTx86]\na=b,USB\\VID_06CB&PID_00F9\n",
	})
	c, err := l.Choose(t.Context(), latitude, Target{OS: Windows, Builtin: nothing})
	if err != nil {
		t.Fatal(err)
	}
	if names(c) != "all nic vmd" {
		t.Errorf("chosen %s", names(c))
	}
	want := []string{
		"boot-critical: pci device 8086:467f (class 010400) has a driver in vmd alone, which Windows cannot use to start",
		"usb device 06cb:00f9 (class ff) has no driver",
	}
	var got []string
	for _, m := range c.Unclaimed {
		got = append(got, m.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("unclaimed %q", got)
	}
	notes := strings.Join(c.Notes, "\n")
	for _, want := range []string{"all/x.inf: it is for other architectures", "nic/broken.inf: it is no INF file", "nic/unsigned.inf: its catalogue gone.cat is missing", "vmd: it has no INF file"} {
		if len(c.Notes) != 4 || !strings.Contains(notes, want) {
			t.Errorf("notes %s\nwant %s", notes, want)
		}
	}
	c, err = (*Library)(nil).Choose(t.Context(), latitude, Target{OS: Linux, Builtin: nothing})
	if err != nil || len(c.Unclaimed) != 3 || c.Unclaimed[0].ID != "8086:467f" {
		t.Errorf("without a library: %v, %v", c.Unclaimed, err)
	}
	if c, _ = l.Choose(t.Context(), latitude, Target{OS: Windows}); c.Unclaimed != nil {
		t.Errorf("of a system nobody looked into: %v", c.Unclaimed)
	}
}
