package linux

import (
	"errors"
	"io"

	"github.com/ingot-imaging/ingot/internal/customise/linux/bootcfg"
	"github.com/ingot-imaging/ingot/internal/customise/linux/devname"
	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

// lines are files with kernel command lines that boot loaders read, by their
// language. The volume that firmware reads is at one of three places.
var lines = []struct {
	pattern string
	form    bootcfg.Form
}{
	{"/boot/grub/grub.cfg", bootcfg.GRUB}, {"/boot/grub2/grub.cfg", bootcfg.GRUB},
	{"/boot/grub/custom.cfg", bootcfg.GRUB}, {"/boot/grub2/custom.cfg", bootcfg.GRUB},
	{"/boot/efi/EFI/*/grub.cfg", bootcfg.GRUB}, {"/efi/EFI/*/grub.cfg", bootcfg.GRUB}, {"/boot/EFI/*/grub.cfg", bootcfg.GRUB},
	{"/boot/loader/entries/*.conf", bootcfg.BLS}, {"/boot/efi/loader/entries/*.conf", bootcfg.BLS}, {"/efi/loader/entries/*.conf", bootcfg.BLS},
	{"/etc/kernel/cmdline", bootcfg.Plain}, {"/boot/cmdline.txt", bootcfg.Plain}, {"/boot/firmware/cmdline.txt", bootcfg.Plain},
	{"/boot/extlinux/extlinux.conf", bootcfg.Extlinux}, {"/boot/syslinux/*.cfg", bootcfg.Extlinux},
	{"/boot/refind_linux.conf", bootcfg.Refind},
}

// environments are GRUB's environment blocks.
var environments = []string{"/boot/grub/grubenv", "/boot/grub2/grubenv", "/boot/efi/EFI/*/grubenv", "/efi/EFI/*/grubenv"}

// recipes are files that boot configuration is made of, and inRAM those that the
// initial RAM disk is made of.
var (
	recipes = []string{"/etc/default/grub", "/etc/default/grub.d/*.cfg", "/etc/grub.d/*custom", "/etc/kernel/cmdline.d/*",
		"/boot/efi/EFI/refind/refind.conf", "/boot/grub/menu.lst"}
	inRAM = []string{"/etc/initramfs-tools/initramfs.conf", "/etc/initramfs-tools/conf.d/*", "/etc/dracut.conf", "/etc/dracut.conf.d/*.conf",
		"/etc/mkinitcpio.conf", "/etc/mkinitcpio.conf.d/*.conf", "/etc/mkinitcpio.d/*.preset", "/etc/cmdline.d/*.conf", "/etc/crypttab.initramfs", "/etc/uswsusp.conf"}
)

// editBoot puts the new names of volumes for the old ones wherever boot loaders,
// kernels and initial RAM disks look.
func (m *machine) editBoot() error {
	names := devname.New(m.job.Disk)
	r := bootcfg.NewReplacer(names.IDs(), names.Labels())
	if r.Empty() && !m.newRoot {
		return nil
	}
	replace := func(text []byte) []byte {
		text = r.Replace(text)
		if m.newRoot {
			text = bootcfg.DropRootArgs(text)
		}
		return text
	}
	patterns := recipes
	for _, l := range lines {
		patterns = append(patterns[:len(patterns):len(patterns)], l.pattern)
	}
	for _, pattern := range patterns {
		for _, name := range m.texts(pattern) {
			if err := m.edit(name, replace); err != nil {
				return err
			}
		}
	}
	for _, pattern := range inRAM {
		for _, name := range m.texts(pattern) {
			before := len(m.order)
			if err := m.edit(name, replace); err != nil {
				return err
			}
			if len(m.order) > before {
				m.rebuild(initramfs)
			}
		}
	}
	if err := m.editEnvironments(replace); err != nil {
		return err
	}
	return m.lookAtUnified(r)
}

func (m *machine) editEnvironments(f func([]byte) []byte) error {
	for _, pattern := range environments {
		for _, name := range m.texts(pattern) {
			block, err := m.read(name)
			if err != nil {
				return err
			}
			now, err := bootcfg.EditGrubenv(block, f)
			if err != nil {
				return err
			}
			if err := m.write(name, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// lookAtUnified looks for unified kernel images: their command line is inside of
// them, signed with the rest.
func (m *machine) lookAtUnified(r *bootcfg.Replacer) error {
	for _, pattern := range []string{"/boot/efi/EFI/Linux/*.efi", "/efi/EFI/Linux/*.efi", "/boot/EFI/Linux/*.efi"} {
		for _, name := range m.texts(pattern) {
			mentions, err := m.mentions(name, r)
			if err != nil {
				return err
			}
			if mentions {
				m.rebuild(initramfs)
				m.note("%s holds a command line that names a volume by its old ID; it has to be made anew, and signed anew if it was", name)
			}
		}
	}
	return nil
}

// mentions looks for an old ID in a large file, in pieces that overlap.
func (m *machine) mentions(name string, r *bootcfg.Replacer) (bool, error) {
	f, err := m.root.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	const piece, overlap = 1 << 20, 64
	buf := make([]byte, overlap+piece)
	for held := 0; ; {
		n, err := io.ReadFull(f, buf[held:])
		if r.Mentions(buf[:held+n]) {
			return true, nil
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		held = copy(buf, buf[len(buf)-overlap:])
	}
}

// addKernelArgs adds to what boots now and to what later configurations are made of.
func (m *machine) addKernelArgs() error {
	args := m.job.Settings.Linux.KernelArgs
	if len(args) == 0 {
		return nil
	}
	if err := bootcfg.CheckArgs(args); err != nil {
		return err
	}
	for _, l := range lines {
		for _, name := range m.texts(l.pattern) {
			if err := m.edit(name, func(text []byte) []byte { return bootcfg.AddArgs(text, l.form, args) }); err != nil {
				return err
			}
		}
	}
	if err := m.editEnvironments(func(body []byte) []byte { return bootcfg.AddEnvArgs(body, args) }); err != nil {
		return err
	}
	if len(m.glob("/boot/efi/EFI/Linux/*.efi"))+len(m.glob("/efi/EFI/Linux/*.efi"))+len(m.glob("/boot/EFI/Linux/*.efi")) > 0 {
		m.rebuild(initramfs)
		m.note("the image has unified kernel images, whose command line is inside of them: they have the new arguments once they are made anew")
	}
	return m.edit("/etc/default/grub", func(text []byte) []byte {
		return shellvar.AddWords(text, "GRUB_CMDLINE_LINUX", args)
	})
}
