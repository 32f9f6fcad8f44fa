package fleet

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestChooseDisk(t *testing.T) {
	sda := wire.Disk{Path: "/dev/sda", Model: "870 EVO", Serial: "S1", Transport: "sata", Size: 500e9}
	sdb := wire.Disk{Path: "/dev/sdb", Model: "WD", Serial: "W1", Transport: "sata", Size: 2e12}
	nvme := wire.Disk{Path: "/dev/nvme2n1", Serial: "N2", Transport: "nvme", Size: 1e12}
	nvme10 := wire.Disk{Path: "/dev/nvme10n1", Serial: "N10", Transport: "nvme", Size: 1e12}
	stick := wire.Disk{Path: "/dev/sdc", Serial: "U1", Transport: "usb", Size: 32e9}
	card := wire.Disk{Path: "/dev/mmcblk0", Transport: "mmc", Size: 32e9, Removable: true}
	dvd := wire.Disk{Path: "/dev/sr0", Size: 4e9, ReadOnly: true}
	zram := wire.Disk{Path: "/dev/zram0", Size: 4e9}
	locked := wire.Disk{Path: "/dev/sdd", Serial: "L1", Size: 1e12, ReadOnly: true}
	twin := wire.Disk{Path: "/dev/sde", Serial: "s1", Transport: "sata", Size: 500e9}
	for _, c := range []struct {
		name, want    string
		disks         []wire.Disk
		path, problem string
	}{
		{"only one", "", []wire.Disk{stick, sda, card, dvd, zram}, "/dev/sda", ""},
		{"none", "", nil, "", "RAID mode"},
		{"none internal", "", []wire.Disk{stick}, "", "only /dev/sdc"},
		{"several", "", []wire.Disk{sda, nvme}, "", "/dev/sda (870 EVO, 500.0 GB, serial S1), /dev/nvme2n1"},
		{"largest", "Largest", []wire.Disk{sda, sdb, nvme}, "/dev/sdb", ""},
		{"smallest", "smallest", []wire.Disk{sda, sdb, stick}, "/dev/sda", ""},
		{"two largest", "largest", []wire.Disk{nvme, nvme10}, "", "two disks"},
		{"nvme", "first nvme", []wire.Disk{sda, nvme10, nvme}, "/dev/nvme2n1", ""},
		{"no nvme", "first nvme", []wire.Disk{sda}, "", "no NVMe"},
		{"path", "/dev/sdb", []wire.Disk{sda, sdb}, "/dev/sdb", ""},
		{"serial", "w1", []wire.Disk{sda, sdb}, "/dev/sdb", ""},
		{"a stick by its name", "U1", []wire.Disk{sda, stick}, "/dev/sdc", ""},
		{"read-only", "L1", []wire.Disk{sda, locked}, "", "cannot be written"},
		{"same serial", "S1", []wire.Disk{sda, twin}, "", "several disks"},
		{"unknown", "X", []wire.Disk{sda}, "", "no disk with the path or serial number"},
	} {
		d, problem := ChooseDisk(c.disks, c.want)
		if d.Path != c.path || (problem == "") != (c.problem == "") || !strings.Contains(problem, c.problem) {
			t.Errorf("%s: %q %q, want %q %q", c.name, d.Path, problem, c.path, c.problem)
		}
	}
	if name := DiskName([]wire.Disk{sda, twin}, sda); name != "/dev/sda" {
		t.Errorf("a serial that two disks have names one: %s", name)
	}
	wide, wider := wire.Disk{Path: "/dev/sdf", WWN: "naa.1"}, wire.Disk{Path: "/dev/sdg", WWN: "naa.2"}
	if name := DiskName([]wire.Disk{wide, wider}, wider); name != "naa.2" {
		t.Errorf("a disk without a serial number is named %s", name)
	}
	if name := DiskName([]wire.Disk{sda, sdb}, sda); name != "S1" {
		t.Errorf("named %s", name)
	}
}

func TestFits(t *testing.T) {
	d := wire.Disk{Path: "/dev/sda", Size: 100e9}
	if p, w := Fits(d, 100e9, false); p+w != "" {
		t.Errorf("as large: %q %q", p, w)
	}
	if p, _ := Fits(d, 120e9, false); !strings.Contains(p, "120.0 GB (120000000000 bytes)") || !strings.Contains(p, "100.0 GB") {
		t.Errorf("too small: %q", p)
	}
	if p, w := Fits(d, 120e9, true); p != "" || !strings.Contains(w, "measured on the machine") {
		t.Errorf("shrinks: %q %q", p, w)
	}
}
