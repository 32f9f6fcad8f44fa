package host

import (
	"errors"
	"reflect"
	"slices"
	"testing"
)

func TestListMachine(t *testing.T) {
	want := []Disk{{
		Path: "/dev/loop0", Name: "loop0", Model: "loop device", Transport: "loop", Backing: "/images/lab pc.img",
		Size: 4 << 20, LogicalSector: 512, PhysicalSector: 512, Partitions: []string{"/dev/loop0p1"}, discard: true,
	}, {
		Path: "/dev/md0", Name: "md0", Transport: "md", Size: 999000 * 512, LogicalSector: 512, PhysicalSector: 512,
	}, {
		Path: "/dev/mmcblk0", Name: "mmcblk0", Model: "DF4032", Serial: "0x0a1b2c3d", Transport: "mmc",
		Size: 61071360 * 512, LogicalSector: 512, PhysicalSector: 512, Partitions: []string{"/dev/mmcblk0p1"},
	}, {
		Path: "/dev/nvme0n1", Name: "nvme0n1", Model: "Samsung SSD 980 PRO 1TB", Serial: "S5GXNX0R123456",
		WWN: "eui.0025385b71b01234", Transport: "nvme", Size: 2000409264 * 512, LogicalSector: 512, PhysicalSector: 512,
		Partitions: []string{"/dev/nvme0n1p1"}, discard: true,
	}, {
		Path: "/dev/nvme10n1", Name: "nvme10n1", Transport: "nvme", Size: 4096, LogicalSector: 4096, PhysicalSector: 4096,
	}, {
		Path: "/dev/sda", Name: "sda", Model: "Samsung SSD 860 EVO 1TB", Serial: "S3Z9NB0K123456A",
		WWN: "naa.5002538e40a1b2c3", Transport: "sata", Size: 1953525168 * 512, LogicalSector: 512, PhysicalSector: 512,
		Partitions: []string{"/dev/sda1", "/dev/sda2", "/dev/sda3", "/dev/sda10"}, discard: true,
	}, {
		Path: "/dev/sdb", Name: "sdb", Vendor: "SEAGATE", Model: "ST4000NM0034", Serial: "Z4F0ABCD",
		WWN: "naa.5000c500a1b2c3d4", Transport: "sas", Size: 7814037168 * 512, LogicalSector: 4096, PhysicalSector: 4096,
		Rotational: true, Partitions: []string{"/dev/sdb1"},
	}, {
		Path: "/dev/sdc", Name: "sdc", Vendor: "SanDisk", Model: "Ultra", Serial: "4C530001230101117392", Transport: "usb",
		Size: 60062500 * 512, LogicalSector: 512, PhysicalSector: 512, Removable: true, ReadOnly: true, Rotational: true,
	}, {
		Path: "/dev/sdaa", Name: "sdaa", Vendor: "Msft", Model: "Virtual Disk", Transport: "scsi",
		Size: 1 << 20, LogicalSector: 512, PhysicalSector: 4096,
	}, {
		Path: "/dev/vda", Name: "vda", Serial: "root-disk-01", Transport: "virtio",
		Size: 528482304 * 512, LogicalSector: 512, PhysicalSector: 512, Rotational: true, discard: true,
	}}
	got, err := machine(t).list()
	if err != nil {
		t.Fatal(err)
	}
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			t.Errorf("%s is missing", want[i].Path)
		case i >= len(want):
			t.Errorf("%s is too much", got[i].Path)
		case !reflect.DeepEqual(got[i], want[i]):
			t.Errorf("disk %d\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
}

func TestStatLoopDevice(t *testing.T) {
	image := imageFile(t, 4<<20)
	disk := attach(t, image, "--sector-size", "4096")
	part := partitionOf(t, disk, 1<<20, 1<<20)
	got, err := Stat(disk)
	if err != nil || got.Path != disk || got.Backing != image || got.Size != 4<<20 || got.LogicalSector != 4096 ||
		!slices.Equal(got.Partitions, []string{part}) || got.Transport != "loop" {
		t.Errorf("%+v, %v", got, err)
	}
	got, err = Stat(part)
	if err != nil || got.Size != 1<<20 || got.Backing != image || got.LogicalSector != 4096 || got.Partitions != nil {
		t.Errorf("%+v, %v", got, err)
	}
	disks, err := List()
	if err != nil || !slices.ContainsFunc(disks, func(d Disk) bool { return d.Path == disk && d.Backing == image }) {
		t.Errorf("%s is not listed: %v, %v", disk, disks, err)
	}
}

func TestStatImage(t *testing.T) {
	image := imageFile(t, 1<<20)
	got, err := Stat(image)
	want := Disk{Path: image, Name: "disk.img", Model: "image file", Transport: "file", Size: 1 << 20, LogicalSector: 512, PhysicalSector: 512,
		discard: true, zeroes: true}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := Stat("/dev/zero"); !errors.As(err, new(*KindError)) {
		t.Errorf("a character device: %v", err)
	}
}

func TestPartitionPath(t *testing.T) {
	for _, c := range []struct{ disk, want string }{
		{"/dev/sda", "/dev/sda3"},
		{"/dev/nvme0n1", "/dev/nvme0n1p3"},
		{"/dev/mmcblk0", "/dev/mmcblk0p3"},
		{"/dev/loop0", "/dev/loop0p3"},
		{"/dev/cciss/c0d0", "/dev/cciss/c0d0p3"},
		{"/dev/disk/by-id/ata-Disk_1", "/dev/disk/by-id/ata-Disk_1-part3"},
		{"/dev/disk/by-id/ata-Disk_X", "/dev/disk/by-id/ata-Disk_X-part3"},
	} {
		if got := PartitionPath(c.disk, 3); got != c.want {
			t.Errorf("PartitionPath(%q, 3) = %q, want %q", c.disk, got, c.want)
		}
	}
}
