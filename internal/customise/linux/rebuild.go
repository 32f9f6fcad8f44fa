package linux

import (
	"slices"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// DiskArg stands for the disk, as the chroot knows it, in what RebuildCommands
// returns.
const DiskArg = "{disk}"

// RebuildCommands returns the programs, with their arguments, that make anew what
// report says, to be run in this order inside a chroot of root with /dev, /proc and
// /sys. They are those that the image has; none when it has no program for it.
func RebuildCommands(root *rootfs.Root, report *customise.Report) [][]string {
	m := &machine{draft: newDraft(root)}
	var commands [][]string
	if slices.Contains(report.Rebuild, initramfs) {
		commands = append(commands, m.initramfsCommands()...)
	}
	if slices.Contains(report.Rebuild, bootLoader) {
		commands = append(commands, m.grubCommands()...)
	}
	return commands
}

// initramfsCommands make all initial RAM disks. A system has one program for it;
// one that has two uses the first of these.
func (m *machine) initramfsCommands() [][]string {
	switch {
	case m.program("update-initramfs"):
		return [][]string{{"update-initramfs", "-u", "-k", "all"}}
	case m.program("dracut"):
		return [][]string{{"dracut", "--force", "--regenerate-all"}}
	case m.program("mkinitcpio"):
		return [][]string{{"mkinitcpio", "-P"}}
	}
	return nil
}

// grubCommands install GRUB for each firmware that it is installed for, and make
// its configuration. On Fedora GRUB for UEFI is a signed file that names nothing;
// what does is a grub.cfg beside it, which was edited.
func (m *machine) grubCommands() [][]string {
	dir, install, config := "/boot/grub", "grub-install", "grub-mkconfig"
	if m.isDir("/boot/grub2") {
		dir, install, config = "/boot/grub2", "grub2-install", "grub2-mkconfig"
	}
	var commands [][]string
	if m.isDir(dir+"/i386-pc") && m.program(install) {
		commands = append(commands, []string{install, "--target=i386-pc", "--boot-directory=/boot", DiskArg})
	}
	for _, target := range []string{"x86_64-efi", "arm64-efi", "i386-efi"} {
		if !m.isDir(dir+"/"+target) || !m.isDir("/usr/lib/grub/"+target) && !m.isDir("/usr/share/grub2/"+target) || !m.program(install) {
			continue
		}
		commands = append(commands, []string{install, "--target=" + target, "--boot-directory=/boot", "--no-nvram"})
	}
	if m.exists(dir+"/grub.cfg") && m.program(config) {
		commands = append(commands, []string{config, "-o", dir + "/grub.cfg"})
	}
	return commands
}
