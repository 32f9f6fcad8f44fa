package bootenv

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// TestHTTPImage has dosfstools and mtools look at what UEFI HTTP boot is given.
func TestHTTPImage(t *testing.T) {
	c := smallConfig(t, shelfOf(t))
	result, err := build(t.Context(), c, small)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(result.Manifest.Files, func(f File) bool { return f.Name == loader.HTTPImage }) {
		t.Errorf("the manifest lists %+v", result.Manifest.Files)
	}
	image := filepath.Join(c.Out, loader.HTTPImage)
	if out, err := exec.Command("fsck.fat", "-n", image).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if info := run(t, "minfo", "-i", image, "::"); !strings.Contains(info, `disk label="INGOT_HTTP "`) || !strings.Contains(info, "hidden sectors: 0\n") {
		t.Errorf("%s", info) // hidden sectors would stand before it, in a partition
	}
	listed := strings.Fields(run(t, "mdir", "-i", image, "-b", "-/", "::"))
	if want := []string{"::/EFI/BOOT/BOOTX64.EFI", "::/EFI/BOOT/GRUBX64.EFI", "::/GRUB/GRUB.CFG"}; !slices.Equal(onlyFiles(listed), want) {
		t.Errorf("it holds %v", listed)
	}
	got := t.TempDir()
	// The names as firmware, shim and GRUB write them.
	run(t, "mcopy", "-i", image, "::EFI/BOOT/BOOTX64.EFI", "::EFI/BOOT/grubx64.efi", "::grub/grub.cfg", got)
	for name, want := range map[string]string{"BOOTX64.EFI": "shim", "grubx64.efi": "grubnet", "grub.cfg": string(loader.ImageText())} {
		if b, err := os.ReadFile(filepath.Join(got, name)); err != nil || string(b) != want {
			t.Errorf("%s holds %q, %v", name, b, err)
		}
	}
	// The server finds the place for its address.
	b, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	if err := loader.Address(b, netip.MustParseAddr("192.0.2.7")); err != nil || !bytes.Contains(b, []byte("ingot_server=192.0.2.7 ")) {
		t.Error(err)
	}
}

// onlyFiles leaves out folders, which mdir lists with a slash at the end.
func onlyFiles(names []string) []string {
	return slices.DeleteFunc(slices.Sorted(slices.Values(names)), func(name string) bool { return strings.HasSuffix(name, "/") })
}
