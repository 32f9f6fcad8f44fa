package machine

import (
	"io/fs"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// tree reads a file of testdata: lines of "NAME = VALUE" and "LINK -> TARGET".
func tree(t *testing.T, name string) fs.FS {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"sys/class/net": {Mode: fs.ModeDir | 0o755}}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if name, target, ok := strings.Cut(line, " -> "); ok {
			fsys[name] = &fstest.MapFile{Data: []byte(target), Mode: fs.ModeSymlink | 0o777}
			continue
		}
		name, value, ok := strings.Cut(line, " = ")
		value, err := strconv.Unquote(`"` + value + `"`)
		if !ok || err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		fsys[name] = &fstest.MapFile{Data: []byte(value + "\n")}
	}
	return fsys
}

func TestRead(t *testing.T) {
	for name, want := range map[string]profile.Facts{
		"laptop": {
			Maker: "LENOVO", Model: "21AHCTO1WW", Version: "ThinkPad T14 Gen 3", SKU: "LENOVO_MT_21AH_BU_Think_FM_ThinkPad T14 Gen 3",
			Serial: "PF3ABCDE", UUID: "4c4c4544-0042-3510-8052-b4c04f4d4e33", Board: "L1HF23X01AB",
			MACs:     []string{"e8:6a:64:12:34:56", "8c:f8:c5:00:11:22", "00:50:b6:0a:0b:0c", "00:50:b6:01:02:03"},
			Firmware: "uefi",
			Devices: []profile.Device{
				{Bus: "pci", ID: "8086:4621", Class: "060000", Subsys: "17aa:22e7"},
				{Bus: "pci", ID: "8086:467f", Class: "010400", Modalias: "pci:v00008086d0000467Fsv00000000sd00000000bc01sc04i00"},
				{Bus: "pci", ID: "8086:15f3", Class: "020000", Subsys: "17aa:22e7", Modalias: "pci:v00008086d000015F3sv000017AAsd000022E7bc02sc00i00", Driver: "igc"},
				{Bus: "usb", ID: "06cb:00f9", Class: "ff", Modalias: "usb:v06CBp00F9d0000dcFFdsc10dpFFicFFisc00ip00in00"},
				{Bus: "usb", ID: "046d:c52b", Class: "03", Modalias: "usb:v046DpC52Bd1211dc00dsc00dp00ic03isc01ip01in00", Driver: "usbhid"},
			},
		},
		"vm": {
			Maker: "QEMU", Model: "Standard PC (Q35 + ICH9, 2009)", Version: "pc-q35-7.2", UUID: "0b5b4a5e-8d2d-4f0a-9a39-5d2f4a1c7e11",
			MACs: []string{"52:54:00:12:34:56"}, Firmware: "bios",
			Devices: []profile.Device{{Bus: "pci", ID: "1af4:1000", Class: "020000", Subsys: "1af4:0001", Driver: "virtio-pci"}},
		},
		"server": {
			Maker: "Dell Inc.", Model: "PowerEdge R740", SKU: "SKU=0715;ModelName=PowerEdge R740", Serial: "8XYZ123",
			UUID: "4c4c4544-0058-5910-805a-b8c04f313233", Board: ".8XYZ123.CNIVC0091A0123.", Asset: "RZ-2-17",
			MACs: []string{"e4:43:4b:00:00:01", "e4:43:4b:00:00:02"}, Firmware: "uefi",
			Devices: []profile.Device{{Bus: "pci", ID: "1000:0016", Class: "010400", Subsys: "1028:1fcb", Driver: "megaraid_sas"}},
		},
		"placeholders": {
			Maker: "ASUSTeK COMPUTER INC.", Model: "PRIME Z370-A", Firmware: "bios",
			Devices: []profile.Device{{Bus: "pci", ID: "8086:2822", Class: "010400", Driver: "ahci"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(tree(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestReadWithoutSysfs(t *testing.T) {
	if _, err := Read(fstest.MapFS{"etc/passwd": {}}); err == nil {
		t.Error("a tree without sysfs is a machine")
	}
	if _, err := Read(fstest.MapFS{"sys/class": {Mode: fs.ModeDir}}); err != nil {
		t.Errorf("a machine of which nothing is known: %v", err)
	}
}

func TestReadThisMachine(t *testing.T) {
	facts, err := Read(os.DirFS("/"))
	if err != nil || len(facts.Devices) == 0 {
		t.Errorf("%+v, %v", facts, err)
	}
	if _, err := ReadHints(os.DirFS("/")); err != nil {
		t.Error(err)
	}
}

func TestHints(t *testing.T) {
	for name, want := range map[string]struct{ secureBoot, hidden, note string }{
		"laptop":       {"on", "8086:467f", "Intel RST/VMD storage controller 8086:467f is in RAID mode"},
		"vm":           {},
		"server":       {secureBoot: "off"},
		"placeholders": {"", "8086:2822", "hides NVMe disks"},
	} {
		got, err := ReadHints(tree(t, name))
		if err != nil {
			t.Fatal(err)
		}
		hidden := ""
		for _, d := range got.Hidden {
			hidden += d.ID
		}
		if got.SecureBoot != want.secureBoot || hidden != want.hidden || !strings.Contains(strings.Join(got.Notes, "\n"), want.note) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestAttributesAreBounded(t *testing.T) {
	fsys := fstest.MapFS{"sys/class/dmi/id/sys_vendor": {Data: []byte(strings.Repeat("x\x00\xff\n", 1<<20))}}
	facts, err := Read(fsys)
	if err != nil || len(facts.Maker) > maxAttribute || strings.Trim(facts.Maker, "x") != "" {
		t.Errorf("%d bytes, %v", len(facts.Maker), err)
	}
}
