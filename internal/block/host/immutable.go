package host

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// immutable is FS_IMMUTABLE_FL of include/uapi/linux/fs.h.
const immutable = 0x10

// MakeMutable takes the immutable flag off a file, which the kernel sets on the
// firmware's variables (Documentation/filesystems/efivarfs.rst). On file systems
// without flags it does nothing.
func MakeMutable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	// FS_IOC_GETFLAGS and FS_IOC_SETFLAGS move an int, whatever their numbers say.
	var flags uint32
	err = ioctl(f, unix.FS_IOC_GETFLAGS, unsafe.Pointer(&flags))
	if errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "read flags of", Path: path, Err: err}
	}
	if flags&immutable == 0 {
		return nil
	}
	flags &^= immutable
	if err := ioctl(f, unix.FS_IOC_SETFLAGS, unsafe.Pointer(&flags)); err != nil {
		return &os.PathError{Op: "make changeable", Path: path, Err: err}
	}
	return nil
}
