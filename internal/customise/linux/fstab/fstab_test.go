package fstab

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/customise/linux/devname"
)

const (
	oldRoot = "11111111-2222-3333-4444-555555555555"
	newRoot = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
	oldHome = "66666666-7777-8888-9999-000000000000"
)

func disk(kind string) customise.Disk {
	return customise.Disk{OldID: "0a1b2c3d", ID: "99887766", Volumes: []customise.Volume{
		{Partition: 1, OldKind: "fat32", Kind: "fat32", OldUUID: "ABCD-1234", UUID: "EF01-5678"},
		{Partition: 2, OldKind: "ext4", Kind: kind, OldUUID: oldRoot, UUID: newRoot, OldLabel: "my root", Label: "new root"},
		{Partition: 3, OldKind: "btrfs", Kind: "ext4", OldUUID: oldHome, UUID: oldHome},
	}}
}

func TestEdit(t *testing.T) {
	for _, c := range []struct{ kind, line, want string }{
		{"ext4", "UUID=" + oldRoot + " / ext4 errors=remount-ro 0 1\n", "UUID=" + newRoot + " / ext4 errors=remount-ro 0 1\n"},
		{"ext4", "  UUID=\"" + oldRoot + "\"\t/\text4   defaults\t0  1 \n", "  UUID=\"" + newRoot + "\"\t/\text4   defaults\t0  1 \n"},
		{"ext4", "LABEL=my\\040root / ext4 defaults", "LABEL=new\\040root / ext4 defaults"},
		{"ext4", "/dev/disk/by-label/my\\134x20root / ext4 defaults 0 1\n", "/dev/disk/by-label/new\\134x20root / ext4 defaults 0 1\n"},
		{"ext4", "PARTUUID=0A1B2C3D-02 / ext4 defaults 0 1\n", "PARTUUID=99887766-02 / ext4 defaults 0 1\n"},
		{"ext4", "/dev/disk/by-uuid/abcd-1234 /boot/efi vfat umask=0077 0 1\n", "/dev/disk/by-uuid/EF01-5678 /boot/efi vfat umask=0077 0 1\n"},
		{"ext4", "#UUID=" + oldRoot + " / ext4 defaults 0 1\n", "#UUID=" + oldRoot + " / ext4 defaults 0 1\n"},
		{"ext4", "UUID=" + oldRoot + "0 / ext4 defaults 0 1\n", "UUID=" + oldRoot + "0 / ext4 defaults 0 1\n"},
		{"ext4", "tmpfs /tmp tmpfs size=1G 0 0\r\n", "tmpfs /tmp tmpfs size=1G 0 0\r\n"},
		{"xfs", "UUID=" + oldRoot + " / ext4 errors=remount-ro 0 1\n", "UUID=" + newRoot + " / xfs defaults 0 0\n"},
		{"xfs", "UUID=" + oldRoot + " / auto noatime,errors=remount-ro,x-systemd.growfs,discard 0 1\n", "UUID=" + newRoot + " / auto noatime,x-systemd.growfs,discard 0 0\n"},
		{"btrfs", "UUID=" + oldRoot + " / ext4 commit=60,data=journal,acl 1 1\n", "UUID=" + newRoot + " / btrfs commit=60,acl 1 0\n"},
		{"ext4", "UUID=" + oldHome + " /home btrfs subvol=@home,compress=zstd:1,relatime 0 0\n", "UUID=" + oldHome + " /home ext4 relatime 0 2\n"},
		{"ext4", "UUID=" + oldHome + " /home btrfs subvol=@home 0 0\nUUID=" + oldHome + " / btrfs subvol=@ 0 0\n",
			"# ingot: no subvolumes any more: UUID=" + oldHome + " /home ext4 defaults 0 2\nUUID=" + oldHome + " / ext4 defaults 0 1\n"},
	} {
		r := Edit([]byte(c.line), devname.New(disk(c.kind)))
		if string(r.Text) != c.want {
			t.Errorf("%q:\n%q, want\n%q", c.line, r.Text, c.want)
		}
	}
}

func TestPlacesAreNoted(t *testing.T) {
	r := Edit([]byte("/dev/sda2 / ext4 defaults 0 1\n"), devname.New(disk("ext4")))
	if len(r.Notes) != 1 || !strings.Contains(r.Notes[0], "/dev/sda2") {
		t.Errorf("%q", r.Notes)
	}
}

// TestTwoWithOneName: a name that two volumes had is left alone.
func TestTwoWithOneName(t *testing.T) {
	d := disk("ext4")
	d.Volumes[2].OldUUID = oldRoot
	line := "UUID=" + oldRoot + " / ext4 defaults 0 1\n"
	if r := Edit([]byte(line), devname.New(d)); string(r.Text) != line {
		t.Errorf("%q", r.Text)
	}
}

// TestChangedPlaces: two volumes can change their names with each other.
func TestChangedPlaces(t *testing.T) {
	d := customise.Disk{Volumes: []customise.Volume{{Partition: 1, OldUUID: "aaaa-1", UUID: "bbbb-2"}, {Partition: 2, OldUUID: "bbbb-2", UUID: "aaaa-1"}}}
	r := Edit([]byte("UUID=aaaa-1 /a ext4 x\nUUID=bbbb-2 /b ext4 x\n"), devname.New(d))
	if got := string(r.Text); got != "UUID=bbbb-2 /a ext4 x\nUUID=aaaa-1 /b ext4 x\n" {
		t.Errorf("%q", got)
	}
}

func TestCrypttab(t *testing.T) {
	text := "# c\ncrypt UUID=" + oldRoot + " none luks,discard\nswap  /dev/disk/by-uuid/" + oldRoot + "  /dev/urandom swap\nx UUID=none UUID=ABCD-1234:/key luks\n"
	want := "# c\ncrypt UUID=" + newRoot + " none luks,discard\nswap  /dev/disk/by-uuid/" + newRoot + "  /dev/urandom swap\nx UUID=none UUID=EF01-5678:/key luks\n"
	if got := string(EditCrypttab([]byte(text), devname.New(disk("ext4")))); got != want {
		t.Errorf("%s", got)
	}
}

// TestFindmnt lets findmnt judge what becomes of options and fields.
func TestFindmnt(t *testing.T) {
	var text string
	for kind, options := range own {
		for _, o := range options {
			text = "UUID=" + oldRoot + " / ext4 defaults," + o + "=1,nofail 0 1\nUUID=" + oldHome + " /home btrfs " + o + ",x-a 0 0\n" + text
		}
		_ = kind
	}
	for _, kind := range []string{"ext4", "xfs", "btrfs"} {
		name := filepath.Join(t.TempDir(), "fstab")
		r := Edit([]byte(text), devname.New(disk(kind)))
		if err := os.WriteFile(name, r.Text, 0o644); err != nil {
			t.Fatal(err)
		}
		out, _ := exec.Command("findmnt", "--tab-file", name, "--noheadings", "--raw", "--nocanonicalize", "--output", "SOURCE,TARGET,FSTYPE,OPTIONS").CombinedOutput()
		if lines := bytes.Count(out, []byte("\n")); lines == 0 || bytes.Contains(out, []byte("parse")) {
			t.Errorf("findmnt: %s", out)
		}
	}
}

func FuzzEdit(f *testing.F) {
	f.Add("UUID=" + oldRoot + " / ext4 errors=remount-ro 0 1\n")
	f.Add("LABEL=\"my\\040root\"\t/\\040x btrfs subvol=a 0 0\n#x\n")
	f.Add("UUID= \nUUID=\"\" \\ \\0 \\400 x")
	f.Add(strings.Repeat("x", 1<<16))
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []string{"ext4", "xfs"} {
			names := devname.New(disk(kind))
			r := Edit([]byte(text), names)
			if strings.Count(string(r.Text), "\n") != strings.Count(text, "\n") {
				t.Fatalf("%q has other lines now: %q", text, r.Text)
			}
			unchanged := devname.New(customise.Disk{})
			if got := Edit([]byte(text), unchanged).Text; string(got) != text {
				t.Fatalf("%q was changed for nothing: %q", text, got)
			}
			EditCrypttab([]byte(text), names)
		}
	})
}
