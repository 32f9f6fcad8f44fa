// Package loop makes loop devices: a stretch of a file or a disk as a block
// device, which is what mount(2) and some tools want.
//
// It owns their life: a device is gone when it is closed, when this process ends,
// however that ends, or when the last mount of it is gone, whichever is last.
package loop

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Options say which stretch of a file is attached, and how.
type Options struct {
	Offset     int64 // bytes, a multiple of the sector size
	Size       int64 // bytes; 0: to the end
	SectorSize int   // logical, bytes; 0: 512
	ReadOnly   bool
}

// Device is an attached loop device.
type Device struct {
	file, backing *os.File
	readOnly      bool
}

// tries bounds how often another process may be quicker in taking the free
// device.
const tries = 32

// Attach makes a loop device of path.
func Attach(path string, opts Options) (*Device, error) {
	flags, mode := uint32(unix.LO_FLAGS_AUTOCLEAR), os.O_RDWR
	if opts.ReadOnly {
		flags, mode = flags|unix.LO_FLAGS_READ_ONLY, os.O_RDONLY
	}
	backing, err := os.OpenFile(path, mode, 0)
	if err != nil {
		return nil, err
	}
	config := unix.LoopConfig{Fd: uint32(backing.Fd()), Size: uint32(opts.SectorSize)}
	config.Info.Offset, config.Info.Sizelimit, config.Info.Flags = uint64(opts.Offset), uint64(opts.Size), flags
	copy(config.Info.File_name[:len(config.Info.File_name)-1], path)
	for range tries {
		f, err := attachFree(&config, mode)
		if errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil {
			backing.Close()
			return nil, fmt.Errorf("make a loop device of %s: %w", path, err)
		}
		return &Device{f, backing, opts.ReadOnly}, nil
	}
	backing.Close()
	return nil, fmt.Errorf("make a loop device of %s: other processes took every free one", path)
}

func attachFree(config *unix.LoopConfig, mode int) (*os.File, error) {
	control, err := os.OpenFile("/dev/loop-control", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer control.Close()
	n, err := unix.IoctlRetInt(int(control.Fd()), unix.LOOP_CTL_GET_FREE)
	if err != nil {
		return nil, err
	}
	f, err := openNode(n, mode)
	if err != nil {
		return nil, err
	}
	if err := unix.IoctlLoopConfigure(int(f.Fd()), config); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// loopMajor is the device number of loop devices, Documentation/admin-guide/devices.txt.
const loopMajor = 7

// openNode opens loop device n, whose node may be missing where /dev is not kept
// by udev.
func openNode(n, mode int) (*os.File, error) {
	name := fmt.Sprintf("/dev/loop%d", n)
	f, err := os.OpenFile(name, mode, 0)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	if err := unix.Mknod(name, unix.S_IFBLK|0o600, int(unix.Mkdev(loopMajor, uint32(n)))); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	return os.OpenFile(name, mode, 0)
}

// Path is the device, "/dev/loop3".
func (d *Device) Path() string { return d.file.Name() }

// Close lets go of the device; what was written is durable when it returns
// without an error.
func (d *Device) Close() error {
	var err error
	if !d.readOnly {
		err = errors.Join(d.file.Sync(), d.backing.Sync())
	}
	return errors.Join(err, d.file.Close(), d.backing.Close())
}
