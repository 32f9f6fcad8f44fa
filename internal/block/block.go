// Package block describes a block device or disk image as a plain value of
// fixed size that is read and written at byte offsets.
//
// It owns the interfaces every layer above shares, and bounded windows of them
// (Section). It makes no system calls: block/host opens real disks and files.
package block

import (
	"errors"
	"fmt"
	"io"
)

// Reader is a fixed number of bytes that can be read at any offset, by several
// goroutines at once.
type Reader interface {
	io.ReaderAt
	// Size is the length in bytes; it does not change while the Reader is open.
	Size() int64
}

// Writer is a Reader that can be overwritten in place, by several goroutines at
// once as long as their ranges differ.
type Writer interface {
	Reader
	io.WriterAt
	// Sync returns when everything written before the call survives a power cut.
	Sync() error
}

// Sectored is implemented by devices that know their sector size.
type Sectored interface {
	// SectorSize is the logical sector size in bytes, a power of two of at least 512.
	SectorSize() int
}

// Sparse is implemented by readers that know, at no cost, where they hold
// nothing but zeros.
type Sparse interface {
	// NextData returns the first range [start, end) at or behind off that may
	// hold something else than zeros. start == Size() means there is none.
	NextData(off int64) (start, end int64, err error)
}

// DefaultSectorSize is what a raw image file without further evidence has.
const DefaultSectorSize = 512

// SectorSizeOf returns r's logical sector size, DefaultSectorSize where r does not know.
func SectorSizeOf(r Reader) int {
	if s, ok := r.(Sectored); ok {
		return s.SectorSize()
	}
	return DefaultSectorSize
}

// RangeError says that bytes outside a Reader were asked for. A parser that
// follows a pointer off the end of its volume gets one.
type RangeError struct {
	Offset, Length, Size int64
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("%d bytes at %#x lie outside the %#x bytes there are", e.Length, e.Offset, e.Size)
}

// ReadFull fills p from offset off. A range outside r is a *RangeError and is
// never partly read.
func ReadFull(r Reader, p []byte, off int64) error {
	if off < 0 || off > r.Size() || int64(len(p)) > r.Size()-off {
		return &RangeError{Offset: off, Length: int64(len(p)), Size: r.Size()}
	}
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read %d bytes at %#x: %w", len(p), off, err)
}

// section is a window of a Reader.
type section struct {
	r          Reader
	base, size int64
}

// Section returns the window [off, off+size) of r, which must lie inside r.
// It keeps r's sector size and its knowledge of holes.
func Section(r Reader, off, size int64) (Reader, error) {
	if off < 0 || size < 0 || off > r.Size() || size > r.Size()-off {
		return nil, &RangeError{Offset: off, Length: size, Size: r.Size()}
	}
	return &section{r, off, size}, nil
}

func (s *section) Size() int64     { return s.size }
func (s *section) SectorSize() int { return SectorSizeOf(s.r) }

func (s *section) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	if int64(len(p)) <= s.size-off {
		return s.r.ReadAt(p, s.base+off)
	}
	n, err := s.r.ReadAt(p[:s.size-off], s.base+off)
	if err == nil {
		err = io.EOF
	}
	return n, err
}

func (s *section) NextData(off int64) (int64, int64, error) {
	sp, ok := s.r.(Sparse)
	if !ok || off >= s.size {
		return min(off, s.size), s.size, nil
	}
	start, end, err := sp.NextData(s.base + off)
	return min(start-s.base, s.size), min(end-s.base, s.size), err
}
