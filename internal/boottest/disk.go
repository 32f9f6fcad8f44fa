package boottest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Disk says which disk to make.
type Disk struct {
	Firmware   Firmware
	FileSystem string // of the root: ext4, xfs or btrfs
	Size       int64  // in bytes, at least 1.5 GiB
	Cache      string // folder that keeps the downloaded Debian; "" is ~/.cache/ingot/boottest
}

// Build makes the raw image file at path: Debian 12 that boots to a login
// prompt on the first serial port and has everything in fstab by UUID.
// A file that is there is overwritten; after an error what is left is useless.
func (d Disk) Build(ctx context.Context, path string) error {
	layout, err := newLayout(d.Firmware, d.Size)
	if err != nil {
		return err
	}
	tarball, err := rootTarball(ctx, d.Cache)
	if err != nil {
		return err
	}
	if err := createSparse(path, d.Size); err != nil {
		return err
	}
	if _, err := run(ctx, layout.sfdisk(), "sfdisk", "--quiet", path); err != nil {
		return err
	}
	ids := newIDs()
	if err := onLoop(ctx, path, layout.swap, func(device string) error {
		_, err := run(ctx, "", "mkswap", "--uuid", ids.swap, device)
		return err
	}); err != nil {
		return err
	}
	if err := onLoop(ctx, path, layout.root, func(device string) error {
		return d.fillRoot(ctx, device, tarball, ids)
	}); err != nil {
		return err
	}
	switch d.Firmware {
	case BIOS:
		return installBIOS(ctx, path, ids.root, 1)
	case Any:
		if err := installBIOS(ctx, path, ids.root, layout.core.start*mib/sector); err != nil {
			return err
		}
	}
	return onLoop(ctx, path, layout.esp, func(device string) error {
		return installUEFI(ctx, device, ids, d.Firmware == Any)
	})
}

// fillRoot makes the root file system and unpacks Debian there.
func (d Disk) fillRoot(ctx context.Context, device, tarball string, ids ids) (err error) {
	if err := mkfs(ctx, d.FileSystem, device, ids.root); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "boottest-root-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	if _, err := run(ctx, "", "mount", device, dir); err != nil {
		return err
	}
	defer func() {
		_, umountErr := run(context.WithoutCancel(ctx), "", "umount", dir)
		err = errors.Join(err, umountErr)
	}()
	if _, err := run(ctx, "", "tar", "-C", dir, "-xf", tarball); err != nil {
		return err
	}
	return d.configure(dir, ids)
}

// configure writes the two files that name this disk's file systems.
func (d Disk) configure(dir string, ids ids) error {
	fstab := fmt.Sprintf("UUID=%s / %s defaults 0 1\nUUID=%s none swap sw 0 0\n", ids.root, d.FileSystem, ids.swap)
	if d.Firmware != BIOS {
		fstab += fmt.Sprintf("UUID=%s /boot/efi vfat umask=0077 0 1\n", ids.esp)
		if err := os.MkdirAll(filepath.Join(dir, "boot/efi"), 0o700); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/fstab"), []byte(fstab), 0o644); err != nil {
		return err
	}
	return writeGRUBConfig(dir, ids.root)
}

func mkfs(ctx context.Context, fileSystem, device, uuid string) error {
	var err error
	switch fileSystem {
	case "ext4":
		_, err = run(ctx, "", "mkfs.ext4", "-q", "-F", "-U", uuid, device)
	case "xfs":
		_, err = run(ctx, "", "mkfs.xfs", "-q", "-f", "-m", "uuid="+uuid, device)
	case "btrfs":
		_, err = run(ctx, "", "mkfs.btrfs", "-q", "-f", "-U", uuid, device)
	default:
		err = fmt.Errorf("file system %q: want ext4, xfs or btrfs", fileSystem)
	}
	return err
}

// ids are the identities in fstab and in the boot loader.
type ids struct {
	root, swap string // UUIDs
	esp        string // FAT volume ID as XXXX-XXXX
}

// newIDs draws random identities, version 4 UUIDs as mkfs would (RFC 9562).
func newIDs() ids {
	uuid := func() string {
		var b [16]byte
		rand.Read(b[:])
		b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
		return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	}
	var b [4]byte
	rand.Read(b[:])
	return ids{root: uuid(), swap: uuid(), esp: strings.ToUpper(fmt.Sprintf("%x-%x", b[:2], b[2:]))}
}

func createSparse(path string, size int64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// onLoop calls do with a loop device over one partition of the image file.
func onLoop(ctx context.Context, path string, p partition, do func(device string) error) error {
	device, err := run(ctx, "", "losetup", "--find", "--show",
		fmt.Sprintf("--offset=%d", p.start*mib), fmt.Sprintf("--sizelimit=%d", p.size*mib), path)
	if err != nil {
		return err
	}
	doErr := do(device)
	_, err = run(context.WithoutCancel(ctx), "", "losetup", "--detach", device)
	return errors.Join(doErr, err)
}
