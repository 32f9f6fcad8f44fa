package blocktest

import (
	"fmt"
	"io"
	"sync"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// Faults says what goes wrong with a device. The zero value is a good disk;
// writes are counted from 1, and Zero and Discard are writes.
type Faults struct {
	// Unreadable bytes end a read before them with EIO.
	Unreadable extent.List
	// FailFrom is the first write that fails with EIO, as do all after it. 0: none.
	FailFrom int64
	// ShortAt is the write that transfers half its bytes, with io.ErrShortWrite. 0: none.
	ShortAt int64
	// Space is how many bytes can be written in all; the write that exceeds it
	// is cut there, with ENOSPC. 0: no limit.
	Space int64
	// FailSync makes every Sync fail with EIO.
	FailSync bool
}

// Faulty is a device that fails as told. What it does not fail it passes on.
type Faulty struct {
	Device
	faults Faults

	mu     sync.Mutex
	writes int64
	bytes  int64
}

var _ Device = (*Faulty)(nil)

// NewFaulty makes a good device fail.
func NewFaulty(d Device, f Faults) *Faulty { return &Faulty{Device: d, faults: f} }

// Writes is the number of writes so far, failed ones included.
func (f *Faulty) Writes() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.writes
}

// Written is the number of bytes that WriteAt and Zero were let write so far.
func (f *Faulty) Written() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.bytes
}

func (f *Faulty) ReadAt(p []byte, off int64) (int, error) {
	bad := f.faults.Unreadable.Clip(extent.Extent{Start: max(off, 0), Length: int64(len(p))})
	if off < 0 || len(bad) == 0 || bad[0].Start >= f.Size() {
		return f.Device.ReadAt(p, off)
	}
	good := bad[0].Start - off
	if err := block.ReadFull(f.Device, p[:good], off); err != nil {
		return 0, err
	}
	return int(good), fmt.Errorf("read at %#x: %w", bad[0].Start, syscall.EIO)
}

func (f *Faulty) WriteAt(p []byte, off int64) (int, error) {
	if err := checkRange(f, off, int64(len(p))); err != nil {
		return 0, err
	}
	allowed, fault := f.next(int64(len(p)))
	n, err := f.Device.WriteAt(p[:allowed], off)
	if err == nil && fault != nil {
		err = fmt.Errorf("write at %#x: %w", off+allowed, fault)
	}
	return n, err
}

// Zero zeroes the bytes before the one that fails.
func (f *Faulty) Zero(off, n int64) error {
	if err := checkRange(f, off, n); err != nil {
		return err
	}
	allowed, fault := f.next(n)
	if err := f.Device.Zero(off, allowed); err != nil || fault == nil {
		return err
	}
	return fmt.Errorf("zero at %#x: %w", off+allowed, fault)
}

// Discard takes no space, so that only FailFrom concerns it.
func (f *Faulty) Discard(off, n int64) error {
	if err := checkRange(f, off, n); err != nil {
		return err
	}
	if _, fault := f.next(0); fault != nil {
		return fmt.Errorf("discard at %#x: %w", off, fault)
	}
	return f.Device.Discard(off, n)
}

func (f *Faulty) Sync() error {
	if f.faults.FailSync {
		return fmt.Errorf("sync: %w", syscall.EIO)
	}
	return f.Device.Sync()
}

// next counts a write of n bytes and says how many of them succeed, and why no more.
func (f *Faulty) next(n int64) (allowed int64, fault error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	allowed = n
	switch {
	case f.faults.FailFrom > 0 && f.writes >= f.faults.FailFrom:
		allowed, fault = 0, syscall.EIO
	case f.faults.Space > 0 && f.bytes+n > f.faults.Space:
		allowed, fault = f.faults.Space-f.bytes, syscall.ENOSPC
	case f.faults.ShortAt == f.writes:
		allowed, fault = n/2, io.ErrShortWrite
	}
	f.bytes += allowed
	return allowed, fault
}
