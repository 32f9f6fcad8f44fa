package host

import (
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The requests below are those of include/uapi/linux/fs.h. Their argument types
// are those that block/ioctl.c of the kernel copies, which differ from the ones
// the header's macros spell out.

// control calls f with the file's descriptor, which stays open meanwhile.
func control(file *os.File, f func(fd int) error) error {
	conn, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := conn.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}

func ioctl(file *os.File, request uint, arg unsafe.Pointer) error {
	return control(file, func(fd int) error {
		for {
			_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
			if errno == 0 {
				return nil
			}
			if errno != unix.EINTR {
				return errno
			}
		}
	})
}

// ioctlUint32 is for BLKSSZGET, BLKPBSZGET and BLKROGET.
func ioctlUint32(file *os.File, request uint) (uint32, error) {
	var v uint32
	err := ioctl(file, request, unsafe.Pointer(&v))
	return v, err
}

// ioctlUint64 is for BLKGETSIZE64.
func ioctlUint64(file *os.File, request uint) (uint64, error) {
	var v uint64
	err := ioctl(file, request, unsafe.Pointer(&v))
	return v, err
}

// ioctlRange is for BLKDISCARD and BLKZEROOUT: offset and length in bytes, both
// multiples of the logical sector.
func ioctlRange(file *os.File, request uint, off, n int64) error {
	arg := [2]uint64{uint64(off), uint64(n)}
	return ioctl(file, request, unsafe.Pointer(&arg))
}
