package host

import (
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// claimed tries to become a device's exclusive holder, which fails while it or
// a partition of it is mounted, swapped on or held anywhere. It asks more than
// once because others may be asking the same question.
func claimed(path string) bool {
	for range 3 {
		f, err := os.OpenFile(path, os.O_RDONLY|unix.O_EXCL, 0)
		if err == nil {
			f.Close()
			return false
		}
		if !errors.Is(err, unix.EBUSY) {
			return false
		}
		time.Sleep(20 * time.Millisecond)
	}
	return true
}

// locked reports whether somebody has a lock on any part of a file, as QEMU has
// on the disk images of a running machine. A file system without locks has no
// locked files.
func locked(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	all := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err = control(f, func(fd int) error { return unix.FcntlFlock(uintptr(fd), unix.F_OFD_GETLK, &all) })
	return err == nil && all.Type != unix.F_UNLCK
}
