package mount

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// devices are all that programs of an image get of /dev: none that holds data of
// this machine.
var devices = []struct {
	name         string
	major, minor uint32
}{
	{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
}

// ForChroot mounts below root what programs in a chroot expect: /proc, /sys, /run,
// /tmp, and a /dev with nothing but null devices and the given block devices.
func ForChroot(root *rootfs.Root, blockDevices []string) (*Mount, error) {
	m := &Mount{Dir: root.Dir()}
	for _, k := range []struct{ kind, at string }{{"proc", "proc"}, {"sysfs", "sys"}, {"tmpfs", "run"}, {"tmpfs", "tmp"}, {"tmpfs", "dev"}} {
		if err := m.special(root, k.kind, k.at); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s of the system for its programs: %w", k.at, err), m.Close())
		}
	}
	if err := m.makeDevices(root, blockDevices); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

// special mounts a file system that has no device.
func (m *Mount) special(root *rootfs.Root, kind, at string) error {
	target, err := root.Folder(at)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer target.Close()
	where, err := os.Readlink(PathOf(target))
	if err != nil {
		return err
	}
	flags := uintptr(unix.MS_NOSUID)
	if kind == "sysfs" {
		flags |= unix.MS_RDONLY
	}
	if err := unix.Mount(kind, PathOf(target), kind, flags, ""); err != nil {
		return err
	}
	m.first(func() error { return unmount(where) })
	return nil
}

func (m *Mount) makeDevices(root *rootfs.Root, blockDevices []string) error {
	dev, err := root.Folder("dev")
	if err != nil {
		return err
	}
	defer dev.Close()
	for _, d := range devices {
		if err := unix.Mknodat(int(dev.Fd()), d.name, unix.S_IFCHR|0o666, int(unix.Mkdev(d.major, d.minor))); err != nil {
			return fmt.Errorf("make /dev/%s for the system's programs: %w", d.name, err)
		}
	}
	for _, path := range slices.Compact(slices.Sorted(slices.Values(blockDevices))) {
		var st unix.Stat_t
		if err := unix.Stat(path, &st); err != nil {
			return err
		}
		if err := unix.Mknodat(int(dev.Fd()), filepath.Base(path), unix.S_IFBLK|0o600, int(st.Rdev)); err != nil {
			return fmt.Errorf("make %s for the system's programs: %w", path, err)
		}
	}
	return nil
}
