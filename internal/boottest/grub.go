package boottest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// GRUB is built here from the host's modules (packages grub-pc-bin and
// grub-efi-amd64-bin) instead of by grub-install, which wants device nodes for
// the partitions.
const (
	grubModules = "normal linux search search_fs_uuid part_gpt part_msdos ext2 xfs btrfs fat serial"
	bootImage   = "/usr/lib/grub/i386-pc/boot.img"

	// bootCodeSize is the part of the MBR sector before the disk signature.
	bootCodeSize = 440
	// coreOffset is where boot.img expects core.img if nobody tells it
	// otherwise: sector 1, with the rest in the sectors behind.
	coreOffset = 512
)

// writeGRUBConfig writes the menu into the mounted root. /vmlinuz and
// /initrd.img are Debian's links to the newest kernel.
func writeGRUBConfig(dir, rootUUID string) error {
	config := fmt.Sprintf(`serial --unit=0 --speed=115200
terminal_output serial
linux /vmlinuz root=UUID=%s ro console=ttyS0
initrd /initrd.img
boot
`, rootUUID)
	if err := os.MkdirAll(filepath.Join(dir, "boot/grub"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "boot/grub/grub.cfg"), []byte(config), 0o644)
}

// installUEFI makes the ESP on the device with GRUB as its only loader.
func installUEFI(ctx context.Context, device string, ids ids) error {
	if _, err := run(ctx, "", "mkfs.fat", "-F", "32", "-s", "1", "-i", strings.Replace(ids.esp, "-", "", 1), device); err != nil {
		return err
	}
	return withGRUB(ctx, "x86_64-efi", ids.root, func(core string) error {
		if _, err := run(ctx, "", "mmd", "-i", device, "::/EFI", "::/EFI/BOOT"); err != nil {
			return err
		}
		_, err := run(ctx, "", "mcopy", "-i", device, core, "::/EFI/BOOT/BOOTX64.EFI")
		return err
	})
}

// installBIOS puts GRUB's first stage into the MBR and its core behind it.
func installBIOS(ctx context.Context, path, rootUUID string) error {
	first, err := os.ReadFile(bootImage)
	if err != nil {
		return err
	}
	return withGRUB(ctx, "i386-pc", rootUUID, func(core string) error {
		rest, err := os.ReadFile(core)
		if err != nil {
			return err
		}
		if len(first) < bootCodeSize || len(rest) > gapMiB*mib-coreOffset {
			return fmt.Errorf("GRUB's core of %d bytes does not fit before the first partition", len(rest))
		}
		disk, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, firstErr := disk.WriteAt(first[:bootCodeSize], 0)
		_, restErr := disk.WriteAt(rest, coreOffset)
		return errors.Join(firstErr, restErr, disk.Close())
	})
}

// withGRUB builds a GRUB that looks for its menu on the file system with the
// UUID, and calls do with the file.
func withGRUB(ctx context.Context, platform, rootUUID string, do func(core string) error) error {
	dir, err := os.MkdirTemp("", "boottest-grub-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	early := filepath.Join(dir, "early.cfg")
	search := fmt.Sprintf("search.fs_uuid %s root\nset prefix=($root)/boot/grub\n", rootUUID)
	if err := os.WriteFile(early, []byte(search), 0o644); err != nil {
		return err
	}
	core := filepath.Join(dir, "core.img")
	args := []string{"--format=" + platform, "--config=" + early, "--prefix=/boot/grub", "--output=" + core}
	args = append(args, strings.Fields(grubModules)...)
	if platform == "i386-pc" {
		args = append(args, "biosdisk")
	}
	if _, err := run(ctx, "", "grub-mkimage", args...); err != nil {
		return err
	}
	return do(core)
}
