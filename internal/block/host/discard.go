package host

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
)

// punchHole frees a range of a file, which then reads as zeros. Source: fallocate(2).
const punchHole = unix.FALLOC_FL_PUNCH_HOLE | unix.FALLOC_FL_KEEP_SIZE

// CanDiscard reports whether Discard does anything: always on a file.
func (t *Target) CanDiscard() bool { return t.disk.CanDiscard() }

// DiscardZeroes reports whether discarded bytes read as zeros: always those of
// a file, which Discard zeroes; no device promises it.
func (t *Target) DiscardZeroes() bool { return t.disk.DiscardZeroes() }

// Discard tells the disk that nobody needs n bytes from off any more. What they
// read as afterwards is undefined unless DiscardZeroes. Of a device, sectors
// that lie only partly in the range keep their contents, and nothing happens at
// all unless CanDiscard.
//
// A device may take long for a long range and cannot be interrupted: callers
// with a context give it pieces.
func (t *Target) Discard(off, n int64) error {
	if !t.geometry.device {
		return t.Zero(off, n)
	}
	if err := t.checkRange(off, n); err != nil || !t.CanDiscard() {
		return err
	}
	start, end := t.wholeSectors(off, n)
	if start == end {
		return nil
	}
	err := ioctlRange(t.write, unix.BLKDISCARD, start, end-start)
	if err == nil || errors.Is(err, unix.EOPNOTSUPP) { // some USB bridges promise it and do not
		return nil
	}
	return &IOError{"discard", t.Path(), start, err}
}

// Zero makes n bytes from off read as zeros, without sending them where the
// disk or the file system has a command for it. As with Discard, a long range
// is better given in pieces.
func (t *Target) Zero(off, n int64) error {
	if err := t.checkRange(off, n); err != nil || n == 0 {
		return err
	}
	if !t.geometry.device {
		return t.zeroFile(off, n)
	}
	start, end := t.wholeSectors(off, n)
	if start == end {
		return t.writeZeros(off, n)
	}
	if err := t.writeZeros(off, start-off); err != nil {
		return err
	}
	err := ioctlRange(t.write, unix.BLKZEROOUT, start, end-start)
	if unsupported(err) {
		return t.writeZeros(start, off+n-start)
	}
	if err != nil {
		return &IOError{"zero", t.Path(), start, err}
	}
	return t.writeZeros(end, off+n-end)
}

func (t *Target) zeroFile(off, n int64) error {
	err := t.fallocate(punchHole, off, n)
	if unsupported(err) {
		err = t.fallocate(unix.FALLOC_FL_ZERO_RANGE|unix.FALLOC_FL_KEEP_SIZE, off, n)
	}
	if unsupported(err) {
		return t.writeZeros(off, n)
	}
	if err != nil {
		return &IOError{"zero", t.Path(), off, err}
	}
	return nil
}

func unsupported(err error) bool {
	return errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOTTY) || errors.Is(err, unix.EINVAL)
}

// wholeSectors is the part of [off, off+n) that consists of whole logical
// sectors; empty, it is [off, off).
func (t *Target) wholeSectors(off, n int64) (start, end int64) {
	mask := int64(t.geometry.logicalSector - 1)
	start, end = (off+mask)&^mask, (off+n)&^mask
	if start >= end {
		return off, off
	}
	return start, end
}

func (t *Target) writeZeros(off, n int64) error {
	if n == 0 {
		return nil
	}
	zeros := block.AlignedBuffer(int(min(n, bounceBytes)))
	for n > 0 {
		piece := zeros[:min(n, int64(len(zeros)))]
		if _, err := t.WriteAt(piece, off); err != nil {
			return err
		}
		off += int64(len(piece))
		n -= int64(len(piece))
	}
	return nil
}

func (t *Target) fallocate(mode uint32, off, n int64) error {
	return control(t.write, func(fd int) error {
		for {
			if err := unix.Fallocate(fd, mode, off, n); err != unix.EINTR {
				return err
			}
		}
	})
}

// Reread makes the kernel read the partition table again, so that the new
// partitions get their device nodes. An image file, a partition and a loop
// device without partition scanning have nothing to read. udev opens new
// partitions at once to look at them, which the kernel answers with EBUSY for a
// moment.
func (t *Target) Reread() error {
	if !t.geometry.device {
		return nil
	}
	for try := 0; ; try++ {
		err := ioctl(t.write, unix.BLKRRPART, nil)
		switch {
		case err == nil, errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOTTY):
			return nil
		case errors.Is(err, unix.EBUSY) && try < 20:
			time.Sleep(100 * time.Millisecond)
		default:
			return fmt.Errorf("read the new partition table: %w", &os.PathError{Op: "BLKRRPART", Path: t.Path(), Err: err})
		}
	}
}
