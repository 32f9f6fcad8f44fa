package boottest

import (
	"context"
	"encoding/binary"
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
	sector       = 512
	// Where boot.img has the sector of core.img, and the first sector of that where
	// the rest begins (grub-core/boot/i386/pc/boot.S and diskboot.S).
	coreSectorAt = 0x5c
	restSectorAt = 0x1f4
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

// installUEFI makes the ESP on the device with GRUB as its only loader, or with
// Debian's signed ones.
func installUEFI(ctx context.Context, device string, ids ids, signed bool) error {
	if _, err := run(ctx, "", "mkfs.fat", "-F", "32", "-s", "1", "-i", strings.Replace(ids.esp, "-", "", 1), device); err != nil {
		return err
	}
	if signed {
		return installSigned(ctx, device, ids.root)
	}
	return withGRUB(ctx, "x86_64-efi", ids.root, func(core string) error {
		if _, err := run(ctx, "", "mmd", "-i", device, "::/EFI", "::/EFI/BOOT"); err != nil {
			return err
		}
		_, err := run(ctx, "", "mcopy", "-i", device, core, "::/EFI/BOOT/BOOTX64.EFI")
		return err
	})
}

// Debian's loaders for Secure Boot (packages shim-signed and grub-efi-amd64-signed).
// The signed GRUB reads /EFI/debian/grub.cfg of the ESP that it was started from.
const (
	signedShim = "/usr/lib/shim/shimx64.efi.signed"
	signedGRUB = "/usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
)

func installSigned(ctx context.Context, device, rootUUID string) error {
	if _, err := run(ctx, "", "mmd", "-i", device, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"); err != nil {
		return err
	}
	for _, f := range [][2]string{{signedShim, "::/EFI/BOOT/BOOTX64.EFI"}, {signedGRUB, "::/EFI/BOOT/grubx64.efi"}} {
		if _, err := run(ctx, "", "mcopy", "-i", device, f[0], f[1]); err != nil {
			return err
		}
	}
	config := fmt.Sprintf("search.fs_uuid %s root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n", rootUUID)
	_, err := run(ctx, config, "mcopy", "-i", device, "-", "::/EFI/debian/grub.cfg")
	return err
}

// installBIOS puts GRUB's first stage into the MBR and its core at a sector.
func installBIOS(ctx context.Context, path, rootUUID string, at int64) error {
	first, err := os.ReadFile(bootImage)
	if err != nil {
		return err
	}
	return withGRUB(ctx, "i386-pc", rootUUID, func(core string) error {
		rest, err := os.ReadFile(core)
		if err != nil {
			return err
		}
		if len(first) < bootCodeSize || len(rest) < sector || len(rest) > coreMiB*mib-sector {
			return fmt.Errorf("GRUB's core of %d bytes does not fit into %d MiB", len(rest), coreMiB)
		}
		binary.LittleEndian.PutUint64(first[coreSectorAt:], uint64(at))
		binary.LittleEndian.PutUint64(rest[restSectorAt:], uint64(at)+1)
		disk, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		_, firstErr := disk.WriteAt(first[:bootCodeSize], 0)
		_, restErr := disk.WriteAt(rest, at*sector)
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
