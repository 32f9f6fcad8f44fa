package bootenv

import (
	"os"
	"path/filepath"

	"github.com/ingot-imaging/ingot/internal/bootenv/fat"
	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// efiVolume makes the volume name that UEFI starts from: files of the boot environment
// in folder, by their places in the volume, and GRUB's text at place.
func efiVolume(name, folder string, files map[string]string, place string, text []byte, o fat.Options) error {
	contents := map[string][]byte{place: text}
	for place, source := range files {
		b, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(source)))
		if err != nil {
			return err
		}
		contents[place] = b
	}
	image, err := fat.Image(contents, o)
	if err != nil {
		return err
	}
	return os.WriteFile(name, image, 0o644)
}

// httpImage makes the disk that firmware is given when it boots by HTTP, of the loaders
// in folder. The server that gives it away puts its address into the text.
func httpImage(folder string, o fat.Options) error {
	files := map[string]string{"EFI/BOOT/BOOTX64.EFI": "shimx64.efi", "EFI/BOOT/GRUBX64.EFI": "grubx64.efi"}
	o.Label = "INGOT_HTTP"
	return efiVolume(filepath.Join(folder, loader.HTTPImage), folder, files, "GRUB/GRUB.CFG", loader.ImageText(), o)
}
