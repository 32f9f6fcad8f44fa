package host

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestInUseMachine(t *testing.T) {
	const (
		held     = UseHeld
		mounted  = UseMounted
		attached = UseAttached
	)
	s := machine(t)
	plant(t, s, "images/lab pc.img", "")
	for _, c := range []struct {
		name, path string
		mounts     string
		swaps      string
		claimed    string
		want       []Use
	}{
		{name: "nothing", path: "/dev/vda"},
		{
			name: "mounted, read-only as a bind mount only", path: "/dev/sda1",
			mounts: `30 1 8:1 / /boot rw,relatime shared:5 - ext4 /dev/sda1 rw
31 1 8:1 /grub /mnt/with\040blank ro,relatime - ext4 /dev/sda1 rw,errors=remount-ro`,
			want: []Use{{"/dev/sda1", mounted, "/boot", false}, {"/dev/sda1", mounted, "/mnt/with blank", false}},
		},
		{
			name: "mounted read-only", path: "/dev/nvme0n1",
			mounts: "30 1 259:1 / /boot ro,relatime - vfat /dev/nvme0n1p1 ro,fmask=0022",
			want:   []Use{{"/dev/nvme0n1p1", mounted, "/boot", true}},
		},
		{
			name: "another disk's mounts", path: "/dev/sdb",
			mounts: "30 1 8:1 / /boot rw - ext4 /dev/sda1 rw\n31 1 0:5 / /dev rw - devtmpfs udev rw",
		},
		{
			name: "LVM", path: "/dev/sda2",
			mounts: "30 1 253:1 / / rw - ext4 /dev/mapper/pc-root rw",
			swaps:  "/dev/dm-1                               partition\t4000000\t0\t-2",
			want: []Use{
				{"/dev/sda2", held, "/dev/mapper/pc-root", false}, {"/dev/mapper/pc-root", mounted, "/", false},
				{"/dev/sda2", held, "/dev/mapper/pc-swap", false}, {"/dev/mapper/pc-swap", UseSwap, "", false},
			},
		},
		{
			name: "a whole disk, with a mirror of two of its partitions", path: "/dev/sda",
			mounts: "30 1 9:0 / /srv rw - xfs /dev/md0 rw",
			want: []Use{
				{"/dev/sda2", held, "/dev/mapper/pc-root", false}, {"/dev/sda2", held, "/dev/mapper/pc-swap", false},
				{"/dev/sda3", held, "/dev/md0", false}, {"/dev/md0", mounted, "/srv", false},
				{"/dev/sda10", held, "/dev/md0", false},
			},
		},
		{
			name: "a partition of a disk that is used as a whole", path: "/dev/sdb1",
			mounts: "30 1 8:16 / /data rw - ext4 /dev/sdb rw",
			want:   []Use{{"/dev/sdb", mounted, "/data", false}},
		},
		{
			name: "swap on a partition", path: "/dev/nvme0n1",
			swaps: "/dev/nvme0n1p1 partition 1 0 -2",
			want:  []Use{{"/dev/nvme0n1p1", UseSwap, "", false}},
		},
		{
			name: "no device number: btrfs", path: "/dev/sdb",
			mounts: "30 1 0:45 /@home /home rw - btrfs /dev/sdb1 rw,subvol=/@home",
			want:   []Use{{"/dev/sdb1", mounted, "/home", false}},
		},
		{
			name: "no device number: a FUSE mount of an image file", path: "/images/lab pc.img",
			mounts: `30 1 0:45 / /mnt rw - fuse /images/lab\040pc.img rw,user_id=0`,
			want: []Use{
				{"/images/lab pc.img", mounted, "/mnt", false}, {"/images/lab pc.img", attached, "/dev/loop0", false},
			},
		},
		{
			name: "a partition of a loop device", path: "/images/lab pc.img",
			mounts: "30 1 259:9 / /mnt ro - ext4 /dev/loop0p1 ro",
			want: []Use{
				{"/images/lab pc.img", attached, "/dev/loop0", false}, {"/dev/loop0p1", mounted, "/mnt", true},
			},
		},
		{
			name: "a partition mounted where we cannot see it", path: "/dev/nvme0n1", claimed: "/dev/nvme0n1p1 /dev/nvme0n1",
			want: []Use{{"/dev/nvme0n1p1", UseClaimed, "", false}},
		},
		{
			name: "a disk's claim is not its partitions' as well", path: "/dev/nvme0n1", claimed: "/dev/nvme0n1p1 /dev/nvme0n1",
			mounts: "30 1 259:0 / /mnt rw - ext4 /dev/nvme0n1 rw",
			want:   []Use{{"/dev/nvme0n1", mounted, "/mnt", false}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			plant(t, s, "proc/self/mountinfo", c.mounts)
			plant(t, s, "proc/swaps", "Filename Type Size Used Priority\n"+c.swaps+"\n")
			s.claimed = func(path string) bool { return slices.Contains(strings.Fields(c.claimed), path) }
			got, err := s.inUse(s.path(c.path))
			if err != nil {
				t.Fatal(err)
			}
			for i := range got { // an image file is reported by the path that was asked for
				got[i].Device = strings.TrimPrefix(got[i].Device, s.root)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %v\nwant %v", got, c.want)
			}
		})
	}
}

// TestInUseBtrfs: mountinfo names one device of a file system on several.
func TestInUseBtrfs(t *testing.T) {
	const uuid = "0f3dd5c8-3a15-4c0e-9f0a-2d6a2c0f4b11"
	s := machine(t)
	plant(t, s, "sys/fs/btrfs/"+uuid+"/devices/sdb1", "")
	plant(t, s, "sys/fs/btrfs/"+uuid+"/devices/vda", "")
	for mountinfo, where := range map[string]string{
		"30 1 0:45 / /pool rw - btrfs /dev/sdb1 rw\n": "/pool",
		"": "btrfs " + uuid,
	} {
		plant(t, s, "proc/self/mountinfo", mountinfo)
		for _, path := range []string{"sdb1", "vda"} {
			got, err := s.inUse(s.path("dev", path))
			if err != nil || !slices.Equal(got, []Use{{"/dev/" + path, UseMounted, where, false}}) {
				t.Errorf("%s: got %v, %v; want it mounted on %s", path, got, err, where)
			}
		}
	}
}

func TestInUseRefusesNonsense(t *testing.T) {
	for _, mountinfo := range []string{"30 1 8:1 / /boot\n", "30 1 8 / /boot rw - ext4 /dev/sda1 rw\n"} {
		s := machine(t)
		plant(t, s, "proc/self/mountinfo", mountinfo)
		if got, err := s.inUse(s.path("dev/sda1")); err == nil {
			t.Errorf("%q read as %v", mountinfo, got)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		`/a\040b\011c\134d`: "/a b\tc\\d",
		`\04`:               `\04`,
		`\999x`:             `\999x`,
		``:                  ``,
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParseDev(t *testing.T) {
	dev, err := parseDev("259:70000")
	if err != nil || unix.Major(dev) != 259 || unix.Minor(dev) != 70000 {
		t.Errorf("got %d, %v", dev, err)
	}
	for _, bad := range []string{"", "8", "8:", ":1", "a:b", "8:-1"} {
		if _, err := parseDev(bad); err == nil {
			t.Errorf("%q is no device number", bad)
		}
	}
}
