package host

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Writes go past the page cache where the kernel lets them: it would fill
// memory with data nobody reads again, and a failed write would show up at some
// later sync instead of here.
//
// The rule that keeps this coherent: every write is direct, none goes through
// the page cache. What is not aligned is turned into aligned writes: foreign
// memory is copied through a bounce buffer, and of a block (align bytes) that
// is written in part, the rest is read first. Reads come through the page
// cache, which the kernel empties of a range that is written directly.
// Where direct writes do not work at all (tmpfs on old kernels, some FUSE file
// systems, a file whose last block is cut) every write is buffered.

const bounceBytes = 1 << 20 // a multiple of every align

func isAligned(p []byte, align int) bool {
	mask := uintptr(min(align, block.Alignment) - 1)
	return uintptr(unsafe.Pointer(unsafe.SliceData(p)))&mask == 0
}

// goDirect switches the writing descriptor to direct writes, or leaves it.
func (t *Target) goDirect() error {
	align, err := t.directAlign()
	if err != nil {
		return err
	}
	if align == 0 || align > maxSector || align&(align-1) != 0 || t.geometry.size%int64(align) != 0 {
		return nil
	}
	err = setDirect(t.write, unix.O_DIRECT)
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	if err != nil {
		return &os.PathError{Op: "switch to direct writes", Path: t.Path(), Err: err}
	}
	// Some file systems take the flag and refuse the transfer.
	if _, err := t.write.ReadAt(block.AlignedBuffer(align), 0); errors.Is(err, unix.EINVAL) {
		return setDirect(t.write, 0)
	}
	t.align = align
	return nil
}

func setDirect(f *os.File, direct int) error {
	return control(f, func(fd int) error {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
		if err != nil {
			return err
		}
		_, err = unix.FcntlInt(uintptr(fd), unix.F_SETFL, flags&^unix.O_DIRECT|direct)
		return err
	})
}

// directAlign is what a direct write's offset and length must be multiples of,
// in bytes; so must the address of its memory, but of no more than block.Alignment.
// 0: there are no direct writes. Of a file the kernel tells since 6.1 (statx(2),
// STATX_DIOALIGN); before, a page is enough.
func (t *Target) directAlign() (int, error) {
	if t.geometry.device {
		return t.geometry.logicalSector, nil
	}
	var stx unix.Statx_t
	err := control(t.write, func(fd int) error {
		return unix.Statx(fd, "", unix.AT_EMPTY_PATH, unix.STATX_DIOALIGN, &stx)
	})
	if err != nil && !errors.Is(err, unix.ENOSYS) {
		return 0, &os.PathError{Op: "statx", Path: t.Path(), Err: err}
	}
	if err != nil || stx.Mask&unix.STATX_DIOALIGN == 0 {
		return block.Alignment, nil
	}
	if stx.Dio_mem_align > block.Alignment {
		return 0, nil
	}
	return int(max(stx.Dio_offset_align, stx.Dio_mem_align)), nil
}

// ReadAt fails with an *IOError whose offset is that of the first byte that
// could not be read.
func (t *Target) ReadAt(p []byte, off int64) (int, error) {
	return readAt(t.read, t.geometry.size, p, off)
}

// WriteAt is fastest with memory from block.AlignedBuffer and an offset and length
// that are multiples of the sector size. It fails with an *IOError whose offset
// is that of the first byte that is not known to be written, or, before it
// wrote anything, with a *block.RangeError.
func (t *Target) WriteAt(p []byte, off int64) (int, error) {
	if err := t.checkRange(off, int64(len(p))); err != nil {
		return 0, err
	}
	for n := 0; n < len(p); {
		m, err := t.writeSome(p[n:], off+int64(n))
		n += m
		if err != nil {
			return n, &IOError{"write", t.Path(), off + int64(n), cause(err)}
		}
	}
	return len(p), nil
}

func (t *Target) checkRange(off, n int64) error {
	if size := t.geometry.size; off < 0 || n < 0 || off > size || n > size-off {
		return &block.RangeError{Offset: off, Length: n, Size: size}
	}
	return nil
}

// writeSome writes as much of p as one way of writing can take.
func (t *Target) writeSome(p []byte, off int64) (int, error) {
	within := int(off & int64(t.align-1))
	if within != 0 || len(p) < t.align {
		return t.writePart(p[:min(len(p), t.align-within)], off)
	}
	whole := len(p) &^ (t.align - 1)
	if isAligned(p, t.align) {
		return t.write.WriteAt(p[:whole], off)
	}
	buf := t.bounce.Get().(*[]byte)
	defer t.bounce.Put(buf)
	n := copy(*buf, p[:whole])
	return t.write.WriteAt((*buf)[:n], off)
}

// writePart overwrites part of one block. Two goroutines may write different
// parts of it, so that only one at a time reads, changes and writes back. A
// write of whole blocks needs no lock: it shares no block with anybody.
func (t *Target) writePart(p []byte, off int64) (int, error) {
	t.patch.Lock()
	defer t.patch.Unlock()
	buf := t.bounce.Get().(*[]byte)
	defer t.bounce.Put(buf)
	within := off & int64(t.align-1)
	blockBytes := (*buf)[:t.align]
	if _, err := t.write.ReadAt(blockBytes, off-within); err != nil {
		return 0, err
	}
	copy(blockBytes[within:], p)
	if _, err := t.write.WriteAt(blockBytes, off-within); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Sync returns when everything written is on the medium, the disk's own write
// cache included.
func (t *Target) Sync() error { return t.write.Sync() }

// DropCache makes the next reads come from the medium, as far as the kernel can
// tell: it syncs, then empties the page cache of the target. A device needs
// CAP_SYS_ADMIN for it.
func (t *Target) DropCache() error {
	if err := t.Sync(); err != nil {
		return err
	}
	if t.geometry.device {
		if err := ioctl(t.write, unix.BLKFLSBUF, nil); err != nil {
			return &os.PathError{Op: "flush the buffers of", Path: t.Path(), Err: err}
		}
	}
	advise(t.read, 0, 0, unix.FADV_DONTNEED)
	return nil
}
