package bootenv

import (
	"context"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/bootenv/fat"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// ISOConfig is what a stick tells the agent. Both facts are public. Without a server
// the agent works alone: for a technician who captures and deploys by hand.
type ISOConfig struct {
	Server      string // https://host:port; "": none
	Fingerprint string // of the server's CA: sha256: and 64 hex digits
}

var (
	serverForm      = regexp.MustCompile(`^https://[A-Za-z0-9.:\[\]-]+$`)
	fingerprintForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
)

func (c ISOConfig) check() error {
	if c.Server == "" && c.Fingerprint == "" {
		return nil
	}
	if !serverForm.MatchString(c.Server) {
		return fmt.Errorf("the server is %q, which has not the form https://host:8443", c.Server)
	}
	if !fingerprintForm.MatchString(c.Fingerprint) {
		return fmt.Errorf("the fingerprint is %q, which is not sha256: and 64 hex digits", c.Fingerprint)
	}
	return nil
}

// arguments are the facts on the kernel's command line.
func (c ISOConfig) arguments() string {
	if c.Server == "" {
		return "ingot.mode=standalone"
	}
	return "ingot.mode=agent ingot.server=" + c.Server + " ingot.fingerprint=" + c.Fingerprint
}

// ISO writes out, an image for a DVD and, copied byte by byte, for a USB stick, of the
// boot environment in folder. It starts PCs by BIOS, by UEFI, and by UEFI with Secure
// Boot. Each stick of one environment may have a Config of its own.
func ISO(ctx context.Context, folder string, c ISOConfig, out string) error {
	if err := makeISO(ctx, folder, c, out); err != nil {
		return fmt.Errorf("make a stick of the boot environment in %s: %w", folder, err)
	}
	return nil
}

func makeISO(ctx context.Context, folder string, c ISOConfig, out string) error {
	if err := c.check(); err != nil {
		return err
	}
	m, err := ReadManifest(folder)
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "ingot-iso-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	s := stick{m, c, folder, work, m.id()}
	grafts, err := s.contents()
	if err != nil {
		return err
	}
	made, err := os.CreateTemp(filepath.Dir(out), ".iso-")
	if err != nil {
		return err
	}
	defer os.Remove(made.Name())
	if err := made.Close(); err != nil {
		return err
	}
	if err := os.Remove(made.Name()); err != nil { // xorriso would add to what is there
		return err
	}
	args := append(s.arguments(made.Name()), grafts...)
	if _, err := (tool.Command{Name: tool.Xorriso, Args: args}).Run(ctx); err != nil {
		return err
	}
	if err := os.Chmod(made.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(made.Name(), out)
}

// stick is an ISO in the making.
type stick struct {
	manifest *Manifest
	config   ISOConfig
	folder   string
	work     string // texts and the EFI volume are made here
	id       string
}

// id tells this environment from others, so that GRUB finds the stick that it was
// started from and no other one.
func (m *Manifest) id() string {
	for _, f := range m.Files {
		if f.Name == "initrd.img" {
			return f.SHA256[:16]
		}
	}
	return "unknown"
}

// contents makes what the folder lacks and returns every file as xorriso's
// "place=source".
func (s stick) contents() ([]string, error) {
	texts := map[string]string{
		".disk/info":            isoText("ingot boot environment " + s.manifest.Agent),
		"boot/grub/grub.cfg":    s.grubConfig(),
		"boot/ingot/" + s.id:    isoText(s.id),
		"isolinux/isolinux.cfg": s.isolinuxConfig(),
	}
	var grafts []string
	graft := func(place, source string) { grafts = append(grafts, escapeGraft(place)+"="+escapeGraft(source)) }
	for place, text := range texts {
		name := filepath.Join(s.work, strings.ReplaceAll(place, "/", "-"))
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return nil, err
		}
		graft(place, name)
	}
	if err := s.efiVolume(filepath.Join(s.work, "efi.img")); err != nil {
		return nil, err
	}
	graft("boot/efi.img", filepath.Join(s.work, "efi.img"))
	for place, source := range map[string]string{
		"boot/vmlinuz": "vmlinuz", "boot/initrd.img": "initrd.img",
		"isolinux/isolinux.bin": "iso/isolinux.bin", "isolinux/ldlinux.c32": "iso/ldlinux.c32",
		"isolinux/menu.c32": "iso/menu.c32", "isolinux/libutil.c32": "iso/libutil.c32",
		// For those who copy the files to a FAT stick instead of the bytes.
		"EFI/BOOT/BOOTX64.EFI": "shimx64.efi", "EFI/BOOT/GRUBX64.EFI": "iso/gcdx64.efi", "EFI/BOOT/MMX64.EFI": "mmx64.efi",
	} {
		graft(place, filepath.Join(s.folder, filepath.FromSlash(source)))
	}
	slices.Sort(grafts)
	return grafts, nil
}

func escapeGraft(name string) string {
	return strings.NewReplacer(`\`, `\\`, `=`, `\=`).Replace(name)
}

// efiVolume makes the volume that UEFI starts from.
func (s stick) efiVolume(name string) error {
	files := map[string]string{
		"EFI/BOOT/BOOTX64.EFI": "shimx64.efi", "EFI/BOOT/GRUBX64.EFI": "iso/gcdx64.efi", "EFI/BOOT/MMX64.EFI": "mmx64.efi",
	}
	o := fat.Options{Label: "INGOT_EFI", Serial: crc32.ChecksumIEEE([]byte(s.id)), Modified: s.manifest.Modified}
	return efiVolume(name, s.folder, files, "BOOT/GRUB/GRUB.CFG", []byte(s.grubConfig()), o)
}

// arguments are those of xorriso as mkisofs. The dates are what it takes for
// identifiers too, so that nothing is left to chance.
func (s stick) arguments(out string) []string {
	date := s.manifest.Modified.UTC().Format("20060102150405") + "00"
	return []string{
		"-as", "mkisofs", "-quiet", "-o", out, "-V", "INGOT", "-r", "-graft-points",
		"--modification-date=" + date, "--set_all_file_dates", date,
		"--gpt_disk_guid", "modification-date",
		"-c", "isolinux/boot.cat", "-b", "isolinux/isolinux.bin", "-no-emul-boot", "-boot-load-size", "4", "-boot-info-table",
		"-isohybrid-mbr", filepath.Join(s.folder, "iso", "isohdpfx.bin"),
		"-eltorito-alt-boot", "-e", "boot/efi.img", "-no-emul-boot", "-isohybrid-gpt-basdat",
	}
}
