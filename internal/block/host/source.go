package host

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
)

// SourceOptions says how to read a source; the zero value is right for every disk.
type SourceOptions struct {
	// SectorSize is the logical sector size in bytes to assume of an image file;
	// 0 is 512. A block device knows its own.
	SectorSize int
}

// Source is a disk or raw image file that is only read, through the page cache:
// one bad sector makes the page around it (4096 bytes as a rule) unreadable.
// Its size is that at the time of opening.
type Source struct {
	file     *os.File
	geometry geometry
	disk     Disk
}

var (
	_ block.Reader   = (*Source)(nil)
	_ block.Sectored = (*Source)(nil)
	_ block.Sparse   = (*Source)(nil)
)

// OpenSource opens a block device or a raw image file for reading. It does not
// ask who else uses it: see InUse. Errors: *NotFoundError, *KindError.
func OpenSource(path string, opts SourceOptions) (*Source, error) {
	if _, err := statKind(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	g, err := measure(f, opts.SectorSize)
	if err != nil {
		f.Close()
		return nil, err
	}
	disk, err := describe(f, g)
	if err != nil {
		f.Close()
		return nil, err
	}
	forgetStale(f, g)
	advise(f, 0, 0, unix.FADV_SEQUENTIAL)
	return &Source{f, g, disk}, nil
}

// Path is the path that was opened.
func (s *Source) Path() string { return s.file.Name() }

// Describe tells what was opened, as Stat does.
func (s *Source) Describe() Disk { return s.disk }

func (s *Source) Size() int64     { return s.geometry.size }
func (s *Source) SectorSize() int { return s.geometry.logicalSector }
func (s *Source) Close() error    { return s.file.Close() }

// ReadAt fails with an *IOError whose offset is that of the first byte that
// could not be read.
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	return readAt(s.file, s.geometry.size, p, off)
}

// NextData finds holes of an image file by lseek(2) SEEK_DATA. A block device,
// and a file system that does not know, is all data.
func (s *Source) NextData(off int64) (start, end int64, err error) {
	return nextData(s.file, s.geometry, off)
}

// Prefetch starts reading n bytes from off into the page cache and does not
// wait for them. It is only a hint and cannot fail.
func (s *Source) Prefetch(off, n int64) {
	if off >= 0 && n > 0 {
		advise(s.file, off, n, unix.FADV_WILLNEED)
	}
}

// forgetStale empties a device's page cache. A disk and its partitions have one
// each: while somebody keeps the disk open, its own does not see what is
// written to a partition.
func forgetStale(f *os.File, g geometry) {
	if g.device {
		advise(f, 0, 0, unix.FADV_DONTNEED)
	}
}

// advise ignores errors: the kernel may ignore the advice as well.
func advise(f *os.File, off, n int64, advice int) {
	_ = control(f, func(fd int) error { return unix.Fadvise(fd, off, n, advice) })
}

// nextData moves the descriptor's offset, which nobody uses.
func nextData(f *os.File, g geometry, off int64) (start, end int64, err error) {
	switch {
	case off < 0:
		return 0, 0, &block.RangeError{Offset: off, Size: g.size}
	case off >= g.size:
		return g.size, g.size, nil
	case g.device:
		return off, g.size, nil
	}
	err = control(f, func(fd int) (err error) {
		if start, err = unix.Seek(fd, off, unix.SEEK_DATA); err == nil {
			end, err = unix.Seek(fd, start, unix.SEEK_HOLE)
		}
		return err
	})
	switch {
	case errors.Is(err, unix.ENXIO): // no data from off on, or nothing at all
		return g.size, g.size, checkCut(f, g.size)
	case errors.Is(err, unix.EINVAL):
		return off, g.size, nil
	case err != nil:
		return 0, 0, &IOError{"find data in", f.Name(), off, err}
	}
	return min(start, g.size), min(end, g.size), nil
}

// checkCut tells a hole at the end of a file from an end that came closer since
// the file was opened.
func checkCut(f *os.File, size int64) error {
	info, err := f.Stat()
	if err == nil && info.Size() < size {
		err = &IOError{"find data in", f.Name(), info.Size(), io.ErrUnexpectedEOF}
	}
	return err
}

// readAt is ReadAt on the first size bytes of f.
func readAt(f *os.File, size int64, p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &block.RangeError{Offset: off, Length: int64(len(p)), Size: size}
	}
	if off >= size {
		return 0, io.EOF
	}
	inside := p[:min(int64(len(p)), size-off)]
	n, err := f.ReadAt(inside, off)
	switch {
	case err == nil && n < len(p):
		return n, io.EOF
	case err == io.EOF: // the file was cut behind our back
		return n, &IOError{"read", f.Name(), off + int64(n), io.ErrUnexpectedEOF}
	case err != nil:
		return n, &IOError{"read", f.Name(), off + int64(n), cause(err)}
	}
	return n, nil
}

// cause strips the operation and path that package os adds, which our errors
// already name.
func cause(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
