package drivers

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func rootAt(t *testing.T, dir string, tree map[string]string) *rootfs.Root {
	t.Helper()
	for name, content := range tree {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// debian is a system with two kernels; its lib is a link, as Debian's is.
func debian(t *testing.T, more map[string]string) (*rootfs.Root, string) {
	t.Helper()
	dir := t.TempDir()
	tree := map[string]string{
		"usr/lib/modules/6.1.0-18-amd64/modules.dep":             "",
		"usr/lib/modules/6.1.0-18-amd64/modules.alias":           "# Aliases extracted from modules themselves.\nalias pci:v00008086d000015F3sv*sd*bc*sc*i* igc\nalias usb:v*p*d*dc*dsc*dp*ic03isc*ip*in* usbhid\nalias fs-vfat vfat\n",
		"usr/lib/modules/6.1.0-18-amd64/modules.builtin.modinfo": "xhci_pci.license=GPL\x00xhci_pci.alias=pci:v*d*sv*sd*bc0Csc03i30*\x00ahci.file=drivers/ata/ahci\x00",
		"usr/lib/modules/6.1.0-18-amd64/updates/ingot/old.ko":    "of an earlier deploy",
		"usr/lib/modules/6.1.0-17-amd64/modules.dep":             "",
		"usr/lib/modules/left-over/source":                       "",
		"var/lib/dpkg/status":                                    "",
		"var/lib/ingot/drivers/01-old/old.deb":                   "",
	}
	for name, content := range more {
		tree[name] = content
	}
	if err := os.Symlink("usr/lib", filepath.Join(dir, "lib")); err != nil {
		t.Fatal(err)
	}
	return rootAt(t, dir, tree), dir
}

func TestBuiltinLinux(t *testing.T) {
	root, _ := debian(t, nil)
	b, _, err := OpenBuiltin(t.Context(), root, Linux, "")
	if err != nil {
		t.Fatal(err)
	}
	for modalias, want := range map[string]bool{
		"pci:v00008086d000015F3sv00001028sd00000001bc02sc00i00": true,
		"pci:v00008086d000015F4sv00001028sd00000001bc02sc00i00": false,
		"pci:v00001022d000043D5sv00001B21sd00001142bc0Csc03i30": true,
		"usb:v046DpC52Bd1211dc00dsc00dp00ic03isc01ip02in01":     true,
		"usb:v046DpC52Bd1211dc00dsc00dp00ic08isc01ip02in01":     false,
		"": false,
	} {
		if got := b.Claims(profile.Device{Modalias: modalias}); got != want {
			t.Errorf("%s: %v", modalias, got)
		}
	}
	if _, _, err := OpenBuiltin(t.Context(), rootAt(t, t.TempDir(), nil), Linux, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a system without kernels: %v", err)
	}
}

func TestBuiltinWindows(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "x")
	root := rootAt(t, filepath.Dir(broken), map[string]string{
		"WINDOWS/inf/e1d.inf":      intel,
		"WINDOWS/inf/e1d.PNF":      intel,
		"WINDOWS/inf/folder.inf/x": "",
		"WINDOWS/System32/DriverStore/FileRepository/e1d.inf_amd64_00/e1d.inf":       "[Manufacturer]\nx=y,NTamd64\n[y.NTamd64]\na=b,PCI\\VEN_1111\n",
		"WINDOWS/System32/DriverStore/FileRepository/my_nic.inf_amd64_01/my_nic.inf": "[Manufacturer]\nx=y,NTamd64\n[y.NTamd64]\na=b,PCI\\VEN_2222\n",
	})
	b, notes, err := OpenBuiltin(t.Context(), root, Windows, "")
	if err != nil || len(notes) > 0 {
		t.Fatalf("%v, %v", notes, err)
	}
	for id, want := range map[string]bool{"8086:15f3": true, "8086:ffff": false, "1111:0001": false, "2222:0001": true} {
		if got := b.Claims(profile.Device{Bus: "pci", ID: id, Class: "020000"}); got != want {
			t.Errorf("%s: %v", id, got)
		}
	}
}

func choose(t *testing.T, files map[string]string, os OS) Choice {
	t.Helper()
	c, err := load(t, files).Choose(t.Context(), latitude, Target{OS: os})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestStageLinux(t *testing.T) {
	root, dir := debian(t, nil)
	c := choose(t, map[string]string{
		"one/match.yaml":                "priority: 1",
		"one/nic.ko":                    "\x7fELF\x00alias=pci:v1\x00vermagic=6.1.0-18-amd64 SMP preempt mod_unload \x00",
		"one/6.1.0-17-amd64/nic.ko.xz":  "compressed",
		"one/other.ko":                  "\x00vermagic=5.10.0 SMP \x00",
		"one/firmware/i915/adl_guc.bin": "blob",
		"one/README":                    "not a driver",
		"two/match.yaml":                "",
		"two/it's; rm -rf $HOME.deb":    "package",
		"two/tools.deb":                 "package",
		"two/other.rpm":                 "package",
	}, Linux)
	s, err := Stage(t.Context(), root, c)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"usr/lib/modules/6.1.0-18-amd64/updates/ingot/nic.ko":    "\x7fELF",
		"usr/lib/modules/6.1.0-17-amd64/updates/ingot/nic.ko.xz": "compressed",
		"usr/lib/firmware/i915/adl_guc.bin":                      "blob",
		"var/lib/ingot/drivers/02-two/it_s__rm_-rf__HOME.deb":    "package",
		"var/lib/ingot/drivers/02-two/tools.deb":                 "package",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for _, name := range []string{"usr/lib/modules/6.1.0-18-amd64/updates/ingot/old.ko", "var/lib/ingot/drivers/01-old"} {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s of an earlier deploy is there: %v", name, err)
		}
	}
	if !slices.Equal(s.Rebuild, []customise.Rebuild{customise.Initramfs, customise.Modules}) && !slices.Equal(s.Rebuild, []customise.Rebuild{customise.Modules, customise.Initramfs}) {
		t.Errorf("to be made anew: %v", s.Rebuild)
	}
	if len(s.Notes) != 2 || !strings.Contains(s.Notes[0], "one/other.ko is for none") || !strings.Contains(s.Notes[1], "does not use .rpm") {
		t.Errorf("notes %q", s.Notes)
	}
	out, err := exec.Command("bash", "-c", `dpkg() { printf '%s\n' "$@"; }; . /dev/stdin <<<"$1"`, "bash", s.Script).CombinedOutput()
	if want := "--force-confold\n--install\n/var/lib/ingot/drivers/02-two/it_s__rm_-rf__HOME.deb\n/var/lib/ingot/drivers/02-two/tools.deb\n"; err != nil || string(out) != want {
		t.Errorf("the script does %q, %v:\n%s", out, err, s.Script)
	}
}

func TestStageWindows(t *testing.T) {
	path := volumetest.Mkfs(t, 32<<20, "mkntfs", "-q", "-F", "{}")
	dir, unmount := volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach", path)
	root := rootAt(t, dir, map[string]string{
		"drivers/INGOT/01-old/x.inf": "of an earlier deploy",
		"drivers/mine/x.inf":         "somebody else's",
	})
	c := choose(t, map[string]string{
		"Dell/Latitude: 5420./match.yaml":     "os: windows",
		"Dell/Latitude: 5420./net/e1d.inf":    intel,
		"Dell/Latitude: 5420./net/x?/e1d.sys": "binary",
	}, Windows)
	for range 2 {
		s, err := Stage(t.Context(), root, c)
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{`C:\Drivers\ingot\01-Latitude_ 5420`}; !slices.Equal(s.Folders, want) || !slices.Equal(s.Changed, []string{"/drivers/INGOT"}) {
			t.Errorf("%+v", s)
		}
	}
	root.Close()
	unmount()
	dir, _ = volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach", path)
	out, err := exec.Command("find", dir, "-type", "f", "-printf", "%P %s\n").Output()
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(string(out)), "\n")
	slices.Sort(got)
	if len(got) != 3 || !strings.HasPrefix(got[0], "drivers/INGOT/01-Latitude_ 5420/net/e1d.inf ") || got[1] != "drivers/INGOT/01-Latitude_ 5420/net/x_/e1d.sys 6" {
		t.Errorf("files %q", got)
	}
}

// TestStageStaysInside gives the stager a system whose folders are links out.
func TestStageStaysInside(t *testing.T) {
	victim := t.TempDir()
	if err := os.WriteFile(filepath.Join(victim, "kept"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, link := range []string{"usr/lib/firmware", "var/lib/ingot/drivers", "usr/lib/modules/6.1.0-18-amd64/updates"} {
		root, dir := debian(t, nil)
		name := filepath.Join(dir, link)
		if err := errors.Join(os.RemoveAll(name), os.Symlink(victim, name)); err != nil {
			t.Fatal(err)
		}
		c := choose(t, map[string]string{
			"x/match.yaml": "", "x/firmware/evil.bin": "", "x/6.1.0-18-amd64/evil.ko": "", "x/evil.deb": "",
		}, Linux)
		Stage(t.Context(), root, c) // may fail
		if entries, _ := os.ReadDir(victim); len(entries) != 1 {
			t.Errorf("%s led out: %v", link, entries)
		}
	}
}

func TestStageStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	root, _ := debian(t, nil)
	c := choose(t, map[string]string{"x/match.yaml": "", "x/firmware/a.bin": ""}, Linux)
	if _, err := Stage(ctx, root, c); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if s, err := Stage(t.Context(), root, Choice{}); err != nil || len(s.Changed) > 0 {
		t.Errorf("nothing to stage: %+v, %v", s, err)
	}
}
