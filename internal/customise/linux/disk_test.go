package linux

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
)

const (
	rootID  = "11111111-2222-3333-4444-555555555555"
	bootID  = "22222222-2222-3333-4444-555555555555"
	swapID  = "66666666-7777-8888-9999-aaaaaaaaaaaa"
	freshID = "f0f0f0f0-0000-4000-8000-00000000000"
)

// moved is a disk of which every name has changed, and the root's kind if one is
// given.
func moved(kind string) customise.Disk {
	v := []customise.Volume{
		{Partition: 1, OldKind: "fat32", Kind: "fat32", OldUUID: "ABCD-1234", UUID: "4321-DCBA"},
		{Partition: 2, OldKind: "ext4", Kind: kind, OldUUID: rootID, UUID: freshID + "1"},
		{Partition: 3, OldKind: "swap", Kind: "swap", OldUUID: swapID, UUID: freshID + "2"},
		{Partition: 4, OldKind: "ext4", Kind: "ext4", OldUUID: bootID, UUID: freshID + "3"},
	}
	return customise.Disk{GPT: true, Volumes: v}
}

func TestDebianOnXFS(t *testing.T) {
	dir := debianTree.build(t)
	report := apply(t, dir, customise.Job{Disk: moved("xfs")})
	for name := range debianTree {
		name, _, _ = strings.Cut(name, " ")
		if info, err := os.Lstat(filepath.Join(dir, name)); err != nil || !info.Mode().IsRegular() {
			continue
		}
		text := read(t, dir, name)
		for _, id := range []string{rootID, swapID, "ABCD-1234"} {
			if strings.Contains(text, id) {
				t.Errorf("%s still has %s:\n%s", name, id, text)
			}
		}
	}
	want := "UUID=" + freshID + "1 /               xfs    defaults 0       0\n"
	if got := read(t, dir, "etc/fstab"); !strings.Contains(got, want) || !strings.Contains(got, "UUID=4321-DCBA  /boot/efi       vfat    umask=0077      0       1\n") {
		t.Errorf("fstab:\n%s", got)
	}
	if !slices.Equal(report.Rebuild, []customise.Rebuild{customise.BootLoader, customise.Initramfs}) {
		t.Errorf("rebuild %v", report.Rebuild)
	}
	commands := RebuildCommands(open(t, dir), report)
	if len(commands) != 3 || commands[0][0] != "update-initramfs" || !slices.Equal(commands[1], []string{"grub-install", "--target=i386-pc", "--boot-directory=/boot", DiskArg}) || commands[2][0] != "grub-mkconfig" {
		t.Errorf("%v", commands)
	}
	// Not with --verify, which opens the devices of this host.
	out, err := exec.Command("findmnt", "--tab-file", filepath.Join(dir, "etc/fstab"), "--raw", "--noheadings", "--nocanonicalize", "--output", "SOURCE,TARGET,FSTYPE,OPTIONS").CombinedOutput()
	if want := "UUID=" + freshID + "1 / xfs defaults\nUUID=4321-DCBA /boot/efi vfat umask=0077\nUUID=" + freshID + "2 none swap sw\n"; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("findmnt: %v\n%s", err, out)
	}
	if r := apply(t, dir, customise.Job{Disk: moved("xfs")}); len(r.Changed) > 0 {
		t.Errorf("a second run changed %v", r.Changed)
	}
}

func TestFedoraNewNames(t *testing.T) {
	dir := fedoraTree.build(t)
	disk := moved("ext4")
	disk.Volumes[1].OldKind, disk.Volumes[1].Kind = "xfs", "xfs"
	report := apply(t, dir, customise.Job{Disk: disk})
	for name, id := range map[string]string{
		"etc/fstab": freshID + "1", "etc/kernel/cmdline": freshID + "1", "boot/grub2/grub.cfg": freshID + "3", "boot/efi/EFI/fedora/grub.cfg": freshID + "3",
		"boot/loader/entries/0123456789abcdef0123456789abcdef-6.11.conf": freshID + "1",
	} {
		if got := read(t, dir, name); !strings.Contains(got, id) || strings.Contains(got, rootID) || strings.Contains(got, bootID) {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	commands := RebuildCommands(open(t, dir), report)
	if len(commands) != 2 || commands[0][0] != "dracut" || commands[1][0] != "grub2-mkconfig" {
		t.Errorf("%v for %v", commands, report.Rebuild)
	}
}

// TestSameNames: a disk of which only sizes changed needs nothing.
func TestSameNames(t *testing.T) {
	dir := debianTree.build(t)
	disk := moved("ext4")
	for i := range disk.Volumes {
		disk.Volumes[i].UUID, disk.Volumes[i].Start = disk.Volumes[i].OldUUID, 1<<20
	}
	if r := apply(t, dir, customise.Job{Disk: disk}); len(r.Changed)+len(r.Rebuild) > 0 {
		t.Errorf("changed %v, rebuild %v", r.Changed, r.Rebuild)
	}
}

// TestUnified: a unified kernel image that names the old root is found, wherever
// in it that is.
func TestUnified(t *testing.T) {
	for _, before := range []int{0, 1<<20 - 10, 1<<20 + 50, 2 << 20} {
		dir := debianTree.with(tree{"boot/efi/EFI/Linux/a.efi": strings.Repeat("\x00", before) + "root=UUID=" + rootID + "\x00"}).build(t)
		if r := apply(t, dir, customise.Job{Disk: moved("ext4")}); !strings.Contains(strings.Join(r.Notes, "\n"), "a.efi") {
			t.Errorf("at %d: %q", before, r.Notes)
		}
	}
}
