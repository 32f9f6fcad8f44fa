package system

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// volumeOf makes a volume and fills it with files; what ends in -> x is a link.
func volumeOf(t *testing.T, n int, kind, uuid string, files map[string]string) Volume {
	t.Helper()
	commands := map[string][]string{
		"ext4": {"mke2fs", "-q", "-t", "ext4", "-U", uuid}, "btrfs": {"mkfs.btrfs", "-q", "-U", uuid},
		"ntfs": {"mkntfs", "-q", "-F", "-f"}, "fat32": {"mkfs.fat", "-F", "32", "-i", strings.ReplaceAll(uuid, "-", "")},
	}
	path := filepath.Join(t.TempDir(), "volume")
	run(t, "truncate", "-s", "120M", path)
	run(t, append(commands[kind], path)...)
	dir := t.TempDir()
	m, err := mount.Volume(t.Context(), path, kind, dir, mount.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		put(t, dir, name, text)
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	return Volume{Partition: n, Kind: kind, UUID: uuid, Path: path}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	full := filepath.Join(dir, name)
	err := os.MkdirAll(filepath.Dir(full), 0o755)
	switch {
	case err != nil:
	case strings.HasSuffix(name, "/"):
		err = os.MkdirAll(full, 0o755)
	case strings.HasPrefix(text, "-> "):
		err = os.Symlink(text[3:], full)
	default:
		err = os.WriteFile(full, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
}

const (
	rootID = "11111111-2222-3333-4444-555555555555"
	bootID = "11111111-2222-3333-4444-666666666666"
	espID  = "ABCD-1234"
)

func debian(t *testing.T, kind, prefix, fstab string) []Volume {
	files := map[string]string{}
	for name, text := range map[string]string{
		"etc/os-release": "ID=debian\n", "etc/fstab": fstab, "usr/bin/": "", "boot/": "", "home/": "", "boot/hidden": "below the mount",
	} {
		files[prefix+name] = text
	}
	esp := volumeOf(t, 1, "fat32", espID, map[string]string{"EFI/debian/grub.cfg": "search"})
	esp.ESP = true
	return []Volume{esp, volumeOf(t, 2, "ext4", bootID, map[string]string{"vmlinuz": "kernel", "efi/": ""}), volumeOf(t, 3, kind, rootID, files)}
}

func TestLinux(t *testing.T) {
	fstab := "# comment\nUUID=" + rootID + " / ext4 defaults 0 1\nUUID=" + strings.ToLower(espID) + " /boot/efi vfat umask=0077 0 1\n/dev/sda2 /boot ext4 ro\n" +
		"LABEL=gone /home ext4 defaults\nLABEL=usb /mnt/usb auto noauto\ntmpfs /tmp tmpfs\nUUID=nowhere /srv ext4 nofail\n"
	for _, c := range []struct{ kind, prefix string }{{"ext4", ""}, {"btrfs", "@rootfs/"}, {"btrfs", "@/"}, {"btrfs", ""}} {
		t.Run(c.kind+c.prefix, func(t *testing.T) {
			volumes := debian(t, c.kind, c.prefix, fstab)
			scratch := t.TempDir()
			s, err := Open(t.Context(), scratch, volumes)
			if err != nil {
				t.Fatal(err)
			}
			if s.Kind != Linux || s.At["/"] != 3 || s.At["/boot"] != 2 || s.At["/boot/efi"] != 1 || s.Subvolume != strings.Trim(c.prefix, "/") {
				t.Errorf("%+v", s)
			}
			if len(s.Missing) != 1 || !strings.Contains(s.Missing[0], "/home") {
				t.Errorf("missing: %q", s.Missing)
			}
			if data, err := s.Root.ReadFile("/boot/vmlinuz", 100); string(data) != "kernel" {
				t.Errorf("%q, %v", data, err)
			}
			if err := s.Root.WriteFile("/boot/efi/EFI/debian/grub.cfg", []byte("changed"), rootfs.Attr{}); err != nil {
				t.Error(err)
			}
			if data, err := s.ESP.ReadFile("EFI/debian/grub.cfg", 100); string(data) != "changed" {
				t.Errorf("%q, %v", data, err)
			}
			if n, path := s.Partition("/boot/efi/EFI"); n != 1 || path != "/EFI" {
				t.Errorf("%d %s", n, path)
			}
			if n, path := s.Partition("/bootx"); n != 3 || path != "/bootx" {
				t.Errorf("%d %s", n, path)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			left, _ := os.ReadDir(scratch)
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
			s, err = Open(t.Context(), scratch, volumes)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if data, err := s.ESP.ReadFile("EFI/debian/grub.cfg", 100); string(data) != "changed" {
				t.Errorf("after all: %q, %v", data, err)
			}
		})
	}
}

// TestHostile mounts a system whose mount points lead out of it.
func TestHostile(t *testing.T) {
	outside := t.TempDir()
	volumes := debian(t, "ext4", "", "UUID="+rootID+" / ext4 defaults\nUUID="+bootID+" /srv/evil ext4 defaults\nUUID="+espID+" /opt/../../../../../../etc vfat defaults\n")
	dir := t.TempDir()
	m, err := mount.Volume(t.Context(), volumes[2].Path, "ext4", dir, mount.Options{})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "srv/evil", "-> "+outside)
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), t.TempDir(), volumes)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(mounts)) {
		if at := strings.Fields(line)[1]; at == "/etc" || strings.HasPrefix(at, outside) {
			t.Errorf("mounted outside: %s", line)
		}
	}
	if names, _ := os.ReadDir(outside); len(names) > 0 {
		t.Errorf("outside shows %v", names)
	}
}

func TestWindows(t *testing.T) {
	esp := volumeOf(t, 1, "fat32", espID, nil)
	esp.ESP = true
	volumes := []Volume{esp, volumeOf(t, 3, "ntfs", "1", map[string]string{"WINDOWS/System32/config/SYSTEM": "regf"})}
	s, err := Open(t.Context(), t.TempDir(), volumes)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Kind != Windows || s.At["/"] != 3 || s.ESP == nil {
		t.Errorf("%+v", s)
	}
}

func TestNoSystem(t *testing.T) {
	s, err := Open(t.Context(), t.TempDir(), []Volume{volumeOf(t, 1, "ext4", rootID, map[string]string{"data": "x"}), {Partition: 2, Kind: "swap"}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Kind != None || s.Root != nil || len(s.mounts) != 0 {
		t.Errorf("%+v", s)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func FuzzFstab(f *testing.F) {
	f.Add("UUID=x /a\\040b ext4 defaults,subvol=/@ 0 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, e := range ParseFstab(text) {
			if e.At != "" && !strings.HasPrefix(e.At, "/") || slices.Contains(strings.Split(e.At, "/"), "..") {
				t.Errorf("mount point %q", e.At)
			}
			e.means(Volume{Partition: 1})
			e.subvolume()
		}
	})
}

// TestHostileSubvolume offers this machine's own folders as a system.
func TestHostileSubvolume(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "etc/os-release", "ID=debian\n")
	put(t, outside, "usr/", "")
	put(t, outside, ".snapshots/1/snapshot/etc/os-release", "ID=debian\n")
	put(t, outside, ".snapshots/1/snapshot/usr/", "")
	s, err := Open(t.Context(), t.TempDir(), []Volume{volumeOf(t, 1, "btrfs", rootID, map[string]string{"@": "-> " + outside, "root": "-> " + outside})})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.Kind != None {
		t.Errorf("%s is taken for a system of the volume: %+v", s.Root.Dir(), s)
	}
}
