package host

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// fiemap is struct fiemap of linux/fiemap.h with room for one struct fiemap_extent.
type fiemap struct {
	start, length                 uint64
	flags, mapped, count, padding uint32
	extent                        struct {
		logical, physical, length uint64
		reserved                  [2]uint64
		flags                     uint32
		reserved2                 [3]uint32
	}
}

const (
	fsIocFiemap   = 0xC020660B // FS_IOC_FIEMAP, _IOWR('f', 11, struct fiemap)
	fiemapUnknown = 0x2        // FIEMAP_EXTENT_UNKNOWN: not on the disk yet
	fibmap        = 1          // FIBMAP, _IO(0x00, 1): a block's number in the file becomes that on the disk
	figetbsz      = 2          // FIGETBSZ, _IO(0x00, 2): the size of such a block
)

// FirstPlace tells at which byte of its volume an open file begins. btrfs counts
// in addresses of its own. false: it has no place, or its file system does not say.
func FirstPlace(fd int) (int64, bool) {
	m := fiemap{length: 1<<63 - 1, count: 1}
	if call(fd, fsIocFiemap, unsafe.Pointer(&m)) == nil {
		return int64(m.extent.physical), m.mapped == 1 && m.extent.flags&fiemapUnknown == 0
	}
	var number, size int32
	if call(fd, fibmap, unsafe.Pointer(&number)) != nil || call(fd, figetbsz, unsafe.Pointer(&size)) != nil {
		return 0, false
	}
	return int64(number) * int64(size), number > 0
}

func call(fd int, request uint, arg unsafe.Pointer) error {
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(request), uintptr(arg))
	if errno != 0 {
		return errno
	}
	return nil
}
