// Package view shows a volume as a file that can be changed without changing the
// volume: what is written goes to a layer above it.
//
// It owns the layer (Layer: what was changed, and where) and the files (Serve, by
// FUSE), which resize tools, mounts and loop devices take like any other. It does
// not know what the volume holds or where it comes from. It refuses nothing that a
// disk would take.
package view

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// grid is the unit of change, bytes.
const grid = 4096

// Layer is a volume under a copy-on-write layer. Its size may be another than the
// volume's: what lies behind the volume's end reads as zeros.
type Layer struct {
	base    block.Reader
	scratch *os.File // what was written, at its place; a sparse file without a name

	mu    sync.RWMutex
	size  int64
	dirty pages
	first errorKeeper
}

var _ block.Writer = (*Layer)(nil)

// NewLayer puts an empty layer of size bytes on base. What is written is kept in
// folder dir until Close.
func NewLayer(base block.Reader, size int64, dir string) (*Layer, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make a scratch file in %s: %w", dir, err)
	}
	return &Layer{base: base, scratch: os.NewFile(uintptr(fd), dir+"/(scratch)"), size: size, dirty: pages{}}, nil
}

// Close drops everything that was written.
func (l *Layer) Close() error { return l.scratch.Close() }

// Size implements block.Reader.
func (l *Layer) Size() int64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.size
}

// Resize cuts or extends the volume. What was cut off is zeros when it comes back.
func (l *Layer) Resize(size int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if size < l.size {
		if err := l.zero(size, l.size-size); err != nil {
			return err
		}
	}
	l.size = size
	return nil
}

// Dirty is what was written, on a grid of 4 KiB, ascending, inside the size.
func (l *Layer) Dirty() extent.List {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.dirty.extents().Clip(extent.Extent{Length: l.size})
}

// ReadAt implements block.Reader.
func (l *Layer) ReadAt(p []byte, off int64) (int, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if off < 0 || off >= l.size {
		return 0, io.EOF
	}
	short := int64(len(p)) > l.size-off
	if short {
		p = p[:l.size-off]
	}
	if err := l.read(p, off); err != nil {
		return 0, l.first.keep(err)
	}
	if short {
		return len(p), io.EOF
	}
	return len(p), nil
}

// read fills p, run by run of what was written and what was not.
func (l *Layer) read(p []byte, off int64) error {
	for len(p) > 0 {
		written, end := l.dirty.run(off, off+int64(len(p)))
		part := p[:end-off]
		var err error
		if written {
			_, err = l.scratch.ReadAt(part, off)
		} else {
			err = l.readBase(part, off)
		}
		if err != nil && err != io.EOF { // the scratch file ends with the last write
			return err
		}
		p, off = p[len(part):], end
	}
	return nil
}

func (l *Layer) readBase(p []byte, off int64) error {
	n := min(int64(len(p)), max(0, l.base.Size()-off))
	clear(p[n:])
	if n == 0 {
		return nil
	}
	return block.ReadFull(l.base, p[:n], off)
}

// WriteAt implements block.Writer.
func (l *Layer) WriteAt(p []byte, off int64) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if off < 0 || int64(len(p)) > l.size-off {
		return 0, fmt.Errorf("write %d bytes at %#x: the volume ends at %#x", len(p), off, l.size)
	}
	end := off + int64(len(p))
	if err := l.keepEdges(off, end); err != nil {
		return 0, l.first.keep(err)
	}
	if _, err := l.scratch.WriteAt(p, off); err != nil {
		return 0, l.first.keep(fmt.Errorf("keep what was changed in %s: %w", l.scratch.Name(), err))
	}
	l.dirty.set(off, end)
	return len(p), nil
}

// keepEdges brings the blocks that a write covers in part into the layer.
func (l *Layer) keepEdges(off, end int64) error {
	first, last := off/grid*grid, (end-1)/grid*grid
	for _, at := range []int64{first, last} {
		covered := off <= at && end >= min(at+grid, l.size)
		if covered || end <= off {
			continue
		}
		if written, _ := l.dirty.run(at, at+grid); written {
			continue
		}
		var buf [grid]byte
		if err := l.readBase(buf[:], at); err != nil {
			return err
		}
		if _, err := l.scratch.WriteAt(buf[:], at); err != nil {
			return fmt.Errorf("keep what was changed in %s: %w", l.scratch.Name(), err)
		}
		l.dirty.set(at, at+grid)
	}
	return nil
}

// Zero makes a range read as zeros.
func (l *Layer) Zero(off, n int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if off < 0 || n < 0 || n > l.size-off {
		return fmt.Errorf("zero %d bytes at %#x: the volume ends at %#x", n, off, l.size)
	}
	return l.zero(off, n)
}

func (l *Layer) zero(off, n int64) error {
	if n == 0 {
		return nil
	}
	if err := l.keepEdges(off, off+n); err != nil {
		return err
	}
	if err := unix.Fallocate(int(l.scratch.Fd()), unix.FALLOC_FL_PUNCH_HOLE|unix.FALLOC_FL_KEEP_SIZE, off, n); err != nil {
		return fmt.Errorf("punch a hole into the scratch file: %w", err)
	}
	l.dirty.set(off, off+n)
	return nil
}

// Err is the first error of reading the volume or keeping what was written. A
// user of the file is told no more than that something failed.
func (l *Layer) Err() error { return l.first.get() }

// errorKeeper keeps the first error.
type errorKeeper struct {
	mu  sync.Mutex
	err error
}

func (k *errorKeeper) keep(err error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err == nil {
		k.err = err
	}
	return err
}

func (k *errorKeeper) get() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// Sync implements block.Writer. Nothing here outlives the program, so there is
// nothing to do.
func (l *Layer) Sync() error { return nil }
