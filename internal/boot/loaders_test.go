package boot

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/boottest"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// program is the least that is an EFI program for a machine.
func program(machine uint16, text string) string {
	b := make([]byte, 0x80)
	copy(b, "MZ")
	b[peOffsetAt] = 0x40
	copy(b[0x40:], "PE\x00\x00")
	binary.LittleEndian.PutUint16(b[0x44:], machine)
	return string(b) + text
}

// files makes a tree; a name that ends in a slash is a folder.
func files(t testing.TB, tree map[string]string) (*rootfs.Root, string) {
	t.Helper()
	dir := t.TempDir()
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
	return r, dir
}

const (
	shimFile = "/usr/lib/shim/shimx64.efi.signed"
	mmFile   = "/usr/lib/shim/mmx64.efi.signed"
	fbFile   = "/usr/lib/shim/fbx64.efi.signed"
	grubFile = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
)

func contentOf(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestLoaders(t *testing.T) {
	esp, _ := files(t, map[string]string{
		"EFI/debian/shimx64.efi":                contentOf(t, shimFile),
		"EFI/debian/grubx64.efi":                contentOf(t, grubFile),
		"EFI/debian/fbx64.efi":                  contentOf(t, fbFile),
		"EFI/debian/BOOTX64.CSV":                "x",
		"EFI/Microsoft/Boot/bootmgfw.efi":       program(0x8664, "windows"),
		"EFI/Microsoft/Boot/memtest.efi":        program(0x8664, "memtest"),
		"EFI/systemd/systemd-bootx64.efi":       program(0x8664, "sd"),
		"EFI/Linux/debian-6.1.efi":              program(0x8664, "uki"),
		"EFI/BOOT/BOOTX64.EFI":                  program(0x8664, "#### LoaderInfo: systemd-boot 252 ####"),
		"EFI/BOOT/BOOTIA32.EFI":                 program(0x014C, "windows"),
		"EFI/BOOT/BOOTAA64.EFI":                 contentOf(t, shimFile),
		"EFI/broken/grubx64.efi":                "MZ and nothing more",
		"EFI/Dell/logs/diags_current.xml":       "<x/>",
		"EFI/stray.txt":                         "",
		"EFI/refind/refind_x64.efi":             program(0xAA64, ""),
		"System Volume Information/grubx64.efi": "no loader's place",
	})
	all, err := Loaders(esp)
	if err != nil {
		t.Fatal(err)
	}
	want := []Loader{
		{"EFI/debian/shimx64.efi", Shim, X64},
		{"EFI/broken/grubx64.efi", GRUB, ""},
		{"EFI/debian/grubx64.efi", GRUB, X64},
		{"EFI/refind/refind_x64.efi", REFInd, AA64},
		{"EFI/systemd/systemd-bootx64.efi", SystemdBoot, X64},
		{"EFI/Microsoft/Boot/bootmgfw.efi", WindowsBoot, X64},
		{"EFI/Linux/debian-6.1.efi", Kernel, X64},
		{"EFI/BOOT/BOOTAA64.EFI", Shim, X64},
		{"EFI/BOOT/BOOTIA32.EFI", Fallback, IA32},
		{"EFI/BOOT/BOOTX64.EFI", SystemdBoot, X64},
	}
	if !slices.Equal(all, want) {
		t.Errorf("got  %v\nwant %v", all, want)
	}
	if changed, err := EnsureFallback(esp); err != nil || changed != nil {
		t.Errorf("a fallback that is there was changed: %v, %v", changed, err)
	}
}

func TestKindByContent(t *testing.T) {
	for path, want := range map[string]LoaderKind{
		shimFile: Shim, grubFile: GRUB, "/usr/lib/grub/x86_64-efi/monolithic/grubx64.efi": GRUB,
	} {
		if got := kindByContent([]byte(contentOf(t, path))); got != want {
			t.Errorf("%s is %s", path, got)
		}
	}
}

func TestEnsureFallback(t *testing.T) {
	windows := program(0x8664, "windows")
	for name, c := range map[string]struct {
		tree    map[string]string
		changed []string
		loader  string // where the fallback's content comes from
	}{
		"shim alone":  {map[string]string{"EFI/debian/shimx64.efi": program(0x8664, "s")}, nil, ""},
		"shim, other": {map[string]string{"EFI/debian/shimx64.efi": program(0x8664, "s"), "EFI/arch/grubx64.efi": program(0x8664, "g")}, []string{"EFI/BOOT/BOOTX64.EFI"}, "EFI/arch/grubx64.efi"},
		"nothing":     {map[string]string{"EFI/x": ""}, nil, ""},
		"empty":       {map[string]string{}, nil, ""},
		"Windows":     {map[string]string{"EFI/Microsoft/Boot/bootmgfw.efi": windows}, []string{"EFI/BOOT/BOOTX64.EFI"}, "EFI/Microsoft/Boot/bootmgfw.efi"},
		"spelling":    {map[string]string{"efi/microsoft/boot/BOOTMGFW.EFI": windows, "efi/boot/bootx64.efi": "damaged"}, []string{"efi/boot/BOOTX64.EFI"}, ""},
		"plain":       {map[string]string{"EFI/arch/grubx64.efi": program(0x8664, "g"), "EFI/Microsoft/Boot/bootmgfw.efi": windows}, []string{"EFI/BOOT/BOOTX64.EFI"}, "EFI/arch/grubx64.efi"},
		"32 bits":     {map[string]string{"EFI/debian/grubia32.efi": program(0x14C, "g")}, []string{"EFI/BOOT/BOOTIA32.EFI"}, "EFI/debian/grubia32.efi"},
		"SUSE":        {map[string]string{"EFI/opensuse/shim.efi": program(0x8664, "s"), "EFI/opensuse/grub.efi": program(0x8664, "g")}, []string{"EFI/BOOT/grub.efi", "EFI/BOOT/BOOTX64.EFI"}, "EFI/opensuse/shim.efi"},
		"wrong one":   {map[string]string{"EFI/systemd/systemd-bootx64.efi": program(0x8664, "s"), "EFI/BOOT/BOOTX64.EFI": program(0x14C, "old")}, []string{"EFI/BOOT/BOOTX64.EFI"}, "EFI/systemd/systemd-bootx64.efi"},
		"Debian": {map[string]string{
			"EFI/debian/shimx64.efi": program(0x8664, "s"), "EFI/debian/grubx64.efi": program(0x8664, "g"), "EFI/debian/mmx64.efi": "m", "EFI/debian/fbx64.efi": "f",
		}, []string{"EFI/BOOT/grubx64.efi", "EFI/BOOT/mmx64.efi", "EFI/BOOT/BOOTX64.EFI"}, "EFI/debian/shimx64.efi"},
	} {
		t.Run(name, func(t *testing.T) {
			esp, dir := files(t, c.tree)
			changed, err := EnsureFallback(esp)
			if err != nil || !slices.Equal(changed, c.changed) {
				t.Fatalf("changed %v, want %v; %v", changed, c.changed, err)
			}
			if c.loader != "" && contentOf(t, filepath.Join(dir, changed[len(changed)-1])) != c.tree[c.loader] {
				t.Errorf("the fallback is not %s", c.loader)
			}
			if again, err := EnsureFallback(esp); len(again) > 0 || err != nil {
				t.Errorf("a second time: %v, %v", again, err)
			}
		})
	}
}

func TestFallbackLeadsNowhereElse(t *testing.T) {
	esp, dir := files(t, map[string]string{"EFI/debian/grubx64.efi": program(0x8664, "g"), "EFI/BOOT/x": ""})
	victim := filepath.Join(t.TempDir(), "victim")
	if err := os.WriteFile(victim, []byte("untouched"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, "EFI/BOOT/BOOTX64.EFI")); err != nil {
		t.Fatal(err)
	}
	_, err := EnsureFallback(esp)
	if contentOf(t, victim) != "untouched" {
		t.Errorf("a link led out: %v", err)
	}
}

// TestFallbackBoots lets firmware that has no entry judge: Debian's signed shim
// and GRUB, copied to the fallback place, find the menu of their own folder.
func TestFallbackBoots(t *testing.T) {
	esp, dir := files(t, map[string]string{
		"EFI/debian/shimx64.efi": contentOf(t, shimFile),
		"EFI/debian/grubx64.efi": contentOf(t, grubFile),
		"EFI/debian/mmx64.efi":   contentOf(t, mmFile),
		"EFI/debian/fbx64.efi":   contentOf(t, fbFile),
		"EFI/debian/grub.cfg":    "echo 'fallback login:'\nsleep 5\nhalt\n",
	})
	if changed, err := EnsureFallback(esp); err != nil || len(changed) != 3 {
		t.Fatalf("%v, %v", changed, err)
	}
	disk := filepath.Join(t.TempDir(), "disk.img")
	sh(t, `truncate -s 66M "$1"; printf 'label: gpt\nstart=2048, size=131072, type=uefi\n' | sfdisk -q "$1"
		truncate -s 64M "$1.fat"; mkfs.fat -F 32 -s 1 "$1.fat" >/dev/null; mcopy -s -i "$1.fat" "$2"/* ::/
		dd if="$1.fat" of="$1" bs=1M seek=1 conv=notrunc,sparse status=none`, disk, dir)
	boots(t, disk, boottest.UEFI, "fallback")
}

func FuzzPE(f *testing.F) {
	f.Add([]byte(program(0x8664, "")))
	f.Fuzz(func(t *testing.T, b []byte) {
		arch, err := peArch(bytes.NewReader(b))
		if (arch == "") != (err != nil) || err == nil && !strings.HasPrefix(string(b), "MZ") {
			t.Errorf("%q, %v", arch, err)
		}
	})
}
