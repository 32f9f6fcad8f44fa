package start

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// mounts are what programs expect, in order.
var mounts = []struct {
	kind, dir, options string
	flags              uintptr
	mayFail            bool
}{
	{kind: "proc", dir: "/proc", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{kind: "sysfs", dir: "/sys", flags: unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC},
	{kind: "devtmpfs", dir: "/dev", flags: unix.MS_NOSUID, options: "mode=0755"},
	{kind: "devpts", dir: "/dev/pts", flags: unix.MS_NOSUID | unix.MS_NOEXEC, options: "gid=5,mode=0620,ptmxmode=0666"},
	{kind: "tmpfs", dir: "/dev/shm", flags: unix.MS_NOSUID | unix.MS_NODEV, options: "mode=1777"},
	{kind: "tmpfs", dir: "/run", flags: unix.MS_NOSUID | unix.MS_NODEV, options: "mode=0755"},
	// Layers of adapted images lie in /var/tmp. tmpfs takes memory for what is
	// written only, and half of it at most.
	{kind: "tmpfs", dir: "/tmp", flags: unix.MS_NOSUID | unix.MS_NODEV, options: "mode=1777"},
	{kind: "tmpfs", dir: "/var/tmp", flags: unix.MS_NOSUID | unix.MS_NODEV, options: "mode=1777,size=75%"},
	{kind: "securityfs", dir: "/sys/kernel/security", mayFail: true},
}

// mountAll mounts what is not mounted yet.
func mountAll() error {
	var failures []error
	for _, m := range mounts {
		if err := mountOne(m.kind, m.dir, m.options, m.flags); err != nil && !m.mayFail {
			failures = append(failures, err)
		}
	}
	for link, target := range map[string]string{"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0", "/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2", "/etc/mtab": "/proc/self/mounts"} {
		if err := os.Symlink(target, link); err != nil && !errors.Is(err, os.ErrExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func mountOne(kind, dir, options string, flags uintptr) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	err := unix.Mount(kind, dir, kind, flags, options)
	if err != nil && !errors.Is(err, unix.EBUSY) {
		return fmt.Errorf("mount %s on %s: %w", kind, dir, err)
	}
	return nil
}

const efivars = "/sys/firmware/efi/efivars"

// MountEFI shows the firmware's variables; it needs the module efivarfs. Nothing
// happens on a machine that was not started by UEFI.
func MountEFI() error {
	if _, err := os.Stat("/sys/firmware/efi"); err != nil {
		return nil
	}
	return mountOne("efivarfs", efivars, "", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC)
}
