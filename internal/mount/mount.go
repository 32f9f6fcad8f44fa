// Package mount shows the files of a volume, which lies on a device or in a file,
// in a folder of this machine.
//
// It owns which driver reads which kind: the kernel's, ntfs-3g and exfat-fuse in
// user space, and for FAT without a kernel driver a copy of the files that goes
// back when the mount is closed. It refuses kinds that nothing here can mount, by
// name (*KindError). Programs that use it should call Private first, so that the
// mounts end with them.
package mount

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block/loop"
)

// Options say what is mounted, and how.
type Options struct {
	ReadOnly   bool
	Offset     int64  // where the volume begins in the file or device, bytes
	Size       int64  // of the volume, bytes; 0: to the end
	SectorSize int    // logical, bytes; 0: 512
	Subvolume  string // of btrfs, a path; "": the top level
}

// KindError says that a volume cannot be mounted here.
type KindError struct {
	Kind string
	Why  string
}

func (e *KindError) Error() string { return fmt.Sprintf("%s cannot be mounted: %s", e.Kind, e.Why) }

// Mount is a mounted volume.
type Mount struct {
	Dir   string
	close []func() error // in this order
}

// Mountable reports whether a kind holds files that Volume can show.
func Mountable(kind string) bool { return driverOf(kind) != nil }

// Volume mounts the volume of the given kind, as volume.Info.Kind names it, that
// lies at path, at the folder dir, which must be there.
func Volume(ctx context.Context, path, kind, dir string, opts Options) (*Mount, error) {
	driver := driverOf(kind)
	if driver == nil {
		return nil, &KindError{kind, "it holds no files that this program can reach"}
	}
	m := &Mount{Dir: dir}
	if err := driver(ctx, m, path, kind, opts); err != nil {
		m.Close()
		var no *KindError
		if errors.As(err, &no) {
			return nil, err
		}
		return nil, fmt.Errorf("mount %s at %s: %w", kind, path, err)
	}
	return m, nil
}

// Close takes the mount away. Everything written is in the volume when it returns
// without an error. A second Close does nothing.
func (m *Mount) Close() error {
	var err error
	for len(m.close) > 0 {
		last := m.close[0]
		m.close = m.close[1:]
		err = errors.Join(err, last())
	}
	return err
}

// first makes do the first step of Close.
func (m *Mount) first(do func() error) { m.close = slices.Insert(m.close, 0, do) }

type driver func(ctx context.Context, m *Mount, path, kind string, opts Options) error

func driverOf(kind string) driver {
	switch kind {
	case "ext2", "ext3", "ext4", "xfs", "btrfs":
		return byKernel
	case "ntfs":
		return byNTFS3G
	case "fat12", "fat16", "fat32":
		return fat
	case "exfat":
		return exfat
	}
	return nil
}

// byKernel mounts by a driver of the kernel, through a loop device.
func byKernel(_ context.Context, m *Mount, path, kind string, opts Options) error {
	dev, err := m.attach(path, opts)
	if err != nil {
		return err
	}
	return m.mount(dev, kind, opts)
}

func (m *Mount) attach(path string, opts Options) (string, error) {
	d, err := loop.Attach(path, loop.Options{Offset: opts.Offset, Size: opts.Size, SectorSize: opts.SectorSize, ReadOnly: opts.ReadOnly})
	if err != nil {
		return "", err
	}
	m.first(d.Close)
	return d.Path(), nil
}

func (m *Mount) mount(dev, kind string, opts Options) error {
	fstype, flags, data := dataOf(kind, opts)
	err := unix.Mount(dev, m.Dir, fstype, flags, data)
	switch {
	case errors.Is(err, unix.ENODEV):
		return &KindError{kind, fmt.Sprintf("this kernel has no driver for it (modprobe %s)", fstype)}
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && os.Geteuid() != 0:
		return errors.New("only root may mount; run this as root")
	case err != nil:
		return err
	}
	m.first(func() error { return unmount(m.Dir) })
	return nil
}

// dataOf is what mount(2) gets. What an image holds is not trusted: no devices,
// no set-user-ID programs. Logs are not replayed where nothing is to be written.
func dataOf(kind string, opts Options) (fstype string, flags uintptr, data string) {
	flags = unix.MS_NODEV | unix.MS_NOSUID | unix.MS_NOATIME
	var words []string
	switch kind {
	case "xfs":
		words = append(words, "nouuid")
	case "btrfs":
		words = append(words, "subvolid=5")
		if opts.Subvolume != "" {
			words[0] = "subvol=" + opts.Subvolume
		}
	}
	if opts.ReadOnly {
		flags |= unix.MS_RDONLY
		switch kind {
		case "ext3", "ext4":
			words = append(words, "noload")
		case "xfs":
			words = append(words, "norecovery")
		}
	}
	if strings.HasPrefix(kind, "fat") {
		kind, words = "vfat", []string{"utf8", "shortname=mixed"}
	}
	return kind, flags, strings.Join(words, ",")
}

// unmount takes a mount away, and waits a moment for those who just used it.
func unmount(dir string) error {
	var err error
	for range patience {
		if err = unix.Unmount(dir, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		pause()
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}
