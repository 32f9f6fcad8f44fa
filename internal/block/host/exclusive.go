package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// openExclusive opens for writing; of a block device as its only holder, which
// O_EXCL without O_CREAT means to the kernel. The kernel keeps mounts and other
// holders out from here on. EBUSY may be somebody who only looked, as InUse does.
func openExclusive(path string) (*os.File, error) {
	for try := 0; ; try++ {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL, 0)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES) && readOnlyDevice(path):
			return nil, &ReadOnlyError{path}
		case !errors.Is(err, unix.EBUSY):
			return nil, err
		case try == 5:
			uses, _ := InUse(path)
			return nil, &BusyError{path, uses}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// readOnlyDevice tells a read-only device from missing permission, both EACCES.
func readOnlyDevice(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	ro, err := ioctlUint32(f, unix.BLKROGET)
	return err == nil && ro != 0
}

// checkWritable asks the device itself: some kernels let a read-only device be
// opened for writing.
func (t *Target) checkWritable() error {
	if !t.geometry.device {
		return nil
	}
	ro, err := ioctlUint32(t.write, unix.BLKROGET)
	if err != nil {
		return fmt.Errorf("ask whether %s is read-only: %w", t.Path(), err)
	}
	if ro != 0 {
		return &ReadOnlyError{t.Path()}
	}
	return nil
}

// lock keeps a second ingot away from an image file, and udev from probing a
// disk that is being written (systemd's "Locking Block Device Access"). udev
// itself locks for moments, hence the retries.
func lock(f *os.File) error {
	for try := 0; ; try++ {
		err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		case try == 5:
			return &BusyError{f.Name(), []Use{{Device: f.Name(), What: UseLocked}}}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// reopen opens the same disk a second time, for reading, even if its name has
// come to mean another one.
func reopen(f *os.File) (*os.File, error) {
	var fd int
	err := control(f, func(old int) (err error) {
		fd, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", old), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open a second time", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}
