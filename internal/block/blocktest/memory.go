// Package blocktest tests block devices and stands in for them in the tests of
// other packages.
//
// It owns the conformance suite that every block.Writer passes (Writer), a disk
// in memory (Memory), one that fails as told (Faulty), and one that loses power
// (Crash). It touches no real disk. All devices are safe for concurrent use.
package blocktest

import (
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Device is what the devices of this package offer: a block.Writer with the
// extras of a host.Target.
type Device interface {
	block.Writer
	block.Sectored
	block.Sparse
	// Discard gives up a range; it reads as zeros if DiscardZeroes.
	Discard(off, n int64) error
	// Zero makes a range read as zeros.
	Zero(off, n int64) error
	CanDiscard() bool
	DiscardZeroes() bool
}

// page is the unit of allocation of a Memory in bytes.
const page = 64 << 10

// Memory is a disk of zeros in memory that takes space only where it was
// written, so that terabytes can be simulated.
type Memory struct {
	size   int64
	sector int

	mu    sync.RWMutex
	pages map[int64]*[page]byte // by offset / page
	order []int64               // the keys of pages in order; nil when out of date
}

var _ Device = (*Memory)(nil)

// NewMemory makes a disk of size bytes, all zeros, with a logical sector of
// sectorSize bytes.
func NewMemory(size int64, sectorSize int) *Memory {
	return &Memory{size: size, sector: sectorSize, pages: map[int64]*[page]byte{}}
}

// Clone returns a disk with the same contents that changes independently.
func (m *Memory) Clone() *Memory {
	m.mu.RLock()
	defer m.mu.RUnlock()
	c := NewMemory(m.size, m.sector)
	for i, p := range m.pages {
		q := *p
		c.pages[i] = &q
	}
	return c
}

// Allocated is the memory in use for contents, in bytes.
func (m *Memory) Allocated() int64 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return int64(len(m.pages)) * page
}

func (m *Memory) Size() int64         { return m.size }
func (m *Memory) SectorSize() int     { return m.sector }
func (m *Memory) Sync() error         { return nil }
func (m *Memory) CanDiscard() bool    { return true }
func (m *Memory) DiscardZeroes() bool { return true }

// Discard zeroes the range.
func (m *Memory) Discard(off, n int64) error { return m.Zero(off, n) }

func (m *Memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, &block.RangeError{Offset: off, Length: int64(len(p)), Size: m.size}
	}
	if off >= m.size {
		return 0, io.EOF
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	inside := p[:min(int64(len(p)), m.size-off)]
	for n := 0; n < len(inside); {
		at := off + int64(n)
		dst := inside[n:min(len(inside), n+int(page-at%page))]
		if q := m.pages[at/page]; q != nil {
			copy(dst, q[at%page:])
		} else {
			clear(dst)
		}
		n += len(dst)
	}
	if len(inside) < len(p) {
		return len(inside), io.EOF
	}
	return len(p), nil
}

func (m *Memory) WriteAt(p []byte, off int64) (int, error) {
	if err := checkRange(m, off, int64(len(p))); err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for n := 0; n < len(p); {
		at := off + int64(n)
		q := m.pages[at/page]
		if q == nil {
			q = new([page]byte)
			m.pages[at/page] = q
			m.order = nil
		}
		n += copy(q[at%page:], p[n:])
	}
	return len(p), nil
}

// Zero gives the pages back that lie wholly in the range.
func (m *Memory) Zero(off, n int64) error {
	if err := checkRange(m, off, n); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	end := off + n
	for i, q := range m.pages {
		start := max(off, i*page)
		stop := min(end, (i+1)*page)
		switch {
		case start >= stop:
		case stop-start == page:
			delete(m.pages, i)
			m.order = nil
		default:
			clear(q[start-i*page : stop-i*page])
		}
	}
	return nil
}

// NextData counts every page that was written as data.
func (m *Memory) NextData(off int64) (start, end int64, err error) {
	if off < 0 {
		return 0, 0, &block.RangeError{Offset: off, Size: m.size}
	}
	if off >= m.size {
		return m.size, m.size, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.order == nil {
		m.order = slices.Sorted(maps.Keys(m.pages))
	}
	at, _ := slices.BinarySearch(m.order, off/page)
	if at == len(m.order) {
		return m.size, m.size, nil
	}
	first := m.order[at]
	next := first
	for ; at < len(m.order) && m.order[at] == next; at++ {
		next++
	}
	return max(off, first*page), min(next*page, m.size), nil
}

func checkRange(r block.Reader, off, n int64) error {
	if size := r.Size(); off < 0 || n < 0 || off > size || n > size-off {
		return &block.RangeError{Offset: off, Length: n, Size: size}
	}
	return nil
}
