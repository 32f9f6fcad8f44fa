package blocktest

import (
	"bytes"
	"math/rand/v2"
	"sync"
)

// tear is what a disk writes as a whole even when the power fails, in bytes.
const tear = 512

// Crash is a disk whose power can fail. Reads see every write at once; after a
// power failure, of what was written since the last Sync each 512-byte sector
// may hold what it held before any one of the writes to it or after it.
//
// To fail in the middle of a job, wrap it in a Faulty with FailFrom.
type Crash struct {
	*Memory // what reads see

	mu      sync.Mutex
	durable *Memory
	pending []change // since the last Sync, oldest first
}

// change is one write; without data it is one of n zeros.
type change struct {
	off, n int64
	data   []byte
}

var _ Device = (*Crash)(nil)

// NewCrash makes a disk that holds what m holds; m itself is not changed.
func NewCrash(m *Memory) *Crash { return &Crash{Memory: m.Clone(), durable: m.Clone()} }

// DiscardZeroes is false, so that what was discarded is not relied upon.
func (c *Crash) DiscardZeroes() bool { return false }

// Discard happens to zero the range.
func (c *Crash) Discard(off, n int64) error { return c.Zero(off, n) }

func (c *Crash) WriteAt(p []byte, off int64) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.Memory.WriteAt(p, off)
	if err == nil {
		c.pending = append(c.pending, change{off, int64(n), bytes.Clone(p)})
	}
	return n, err
}

func (c *Crash) Zero(off, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.Memory.Zero(off, n)
	if err == nil {
		c.pending = append(c.pending, change{off: off, n: n})
	}
	return err
}

// Sync makes everything written so far survive.
func (c *Crash) Sync() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, ch := range c.pending {
		if err := ch.apply(c.durable, ch.off, ch.off+ch.n); err != nil {
			return err
		}
	}
	c.pending = nil
	return nil
}

// Pending is the number of writes that a power failure could undo.
func (c *Crash) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.pending)
}

// Crash returns the disk as it may be found after a power failure now. Each
// seed gives one outcome, the same one each time; among few seeds are outcomes
// in which nearly nothing, nearly everything, all and none survived. The disk
// itself goes on.
func (c *Crash) Crash(seed uint64) *Memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.durable.Clone()
	rng := rand.New(rand.NewPCG(seed, 0))
	odds := []float64{0, 0.05, 0.5, 0.95, 1}[seed%5]
	order := rng.Perm(len(c.pending))
	if odds == 1 { // all survived: then so did their order
		for i := range order {
			order[i] = i
		}
	}
	for _, i := range order {
		c.pending[i].survive(m, rng, odds)
	}
	return m
}

// survive applies a change with the given odds, and else perhaps a part of it.
// Ranges come from a write that succeeded, so that applying them cannot fail.
func (ch change) survive(m *Memory, rng *rand.Rand, odds float64) {
	end := ch.off + ch.n
	switch {
	case rng.Float64() < odds:
		_ = ch.apply(m, ch.off, end)
	case odds == 0 || rng.IntN(2) == 0: // lost
	case ch.data == nil: // torn: one run of it survived
		start := min(end, (ch.off+rng.Int64N(ch.n+1))&^(tear-1))
		start = max(start, ch.off)
		_ = ch.apply(m, start, min(end, (start+rng.Int64N(end-start+1))&^(tear-1)))
	default: // torn: any of its sectors survived
		for start := ch.off; start < end; {
			stop := min(end, (start/tear+1)*tear)
			if rng.IntN(2) == 0 {
				_ = ch.apply(m, start, stop)
			}
			start = stop
		}
	}
}

// apply writes the part [start, end) of a change, which may be empty.
func (ch change) apply(m *Memory, start, end int64) error {
	if start >= end {
		return nil
	}
	if ch.data == nil {
		return m.Zero(start, end-start)
	}
	_, err := m.WriteAt(ch.data[start-ch.off:end-ch.off], start)
	return err
}
