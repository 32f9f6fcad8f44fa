package deploy

import (
	"slices"
	"sync"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// The front of a target, its first edge bytes, is where programs look for what
// it holds. It is taken down before the rest changes, outermost sign first, and
// without a table it is put up after all else, outermost sign last, with a sync
// between the steps: a power cut that tears writes leaves no volume that looks
// whole and is not.

// frontStep is a part of the front with a name for the printed plan.
type frontStep struct {
	what string
	list extent.List
}

// frontSteps returns the parts of the front of a target of size bytes in the
// order in which they are put up. The last is the first sector, which holds the
// marker. Before it come the places of superblocks and labels: those of btrfs,
// and those of ext and LVM.
func frontSteps(size int64, sector int) []frontStep {
	first := extent.List{{Length: int64(sector)}}
	low := extent.List{{Length: 2 << 10}}.Subtract(first)
	high := extent.List{{Start: 64 << 10, Length: 4 << 10}}
	rest := extent.List{{Length: edge}}.Subtract(first).Subtract(low).Subtract(high)
	steps := []frontStep{
		{"content before 1 MiB", rest},
		{"signature at 64 KiB", high},
		{"signatures before 2 KiB", low},
		{"first sector", first},
	}
	for i := range steps {
		steps[i].list = steps[i].list.Clip(extent.Extent{Length: size})
	}
	return steps
}

// writes are those of the step's part of front, with a sync behind them.
func (s frontStep) writes(front []byte) []part.Write {
	var writes []part.Write
	for _, e := range s.list {
		writes = append(writes, part.Write{Offset: e.Start, Data: front[e.Start:e.End()], What: s.what})
	}
	if n := len(writes); n > 0 {
		writes[n-1].Sync = true
	}
	return writes
}

// takeDown returns the writes that zero the front but for the first sector.
func takeDown(size int64, sector int) []part.Write {
	zeros := make([]byte, min(edge, size))
	var writes []part.Write
	for _, s := range slices.Backward(frontSteps(size, sector)[:3]) {
		s.what = "zeros over the old " + s.what
		writes = append(writes, s.writes(zeros)...)
	}
	return writes
}

// heldBack is a target without a table whose front is kept in memory until all
// else is durable. It was taken down before, so it begins as zeros.
type heldBack struct {
	Disk
	sector int

	mu    sync.RWMutex
	front []byte
}

func holdBack(disk Disk, sector int) *heldBack {
	return &heldBack{Disk: disk, sector: sector, front: make([]byte, min(edge, disk.Size()))}
}

// putUp returns the writes that put the front onto the target.
func (h *heldBack) putUp() []part.Write {
	var writes []part.Write
	for _, s := range frontSteps(int64(len(h.front)), h.sector) {
		writes = append(writes, s.writes(h.front)...)
	}
	return writes
}

// ReadAt returns what the target will hold.
func (h *heldBack) ReadAt(p []byte, off int64) (int, error) {
	n, err := h.Disk.ReadAt(p, off)
	if off >= 0 && off < int64(len(h.front)) {
		h.mu.RLock()
		defer h.mu.RUnlock()
		copy(p[:n], h.front[off:])
	}
	return n, err
}

// WriteAt keeps what belongs to the front.
func (h *heldBack) WriteAt(p []byte, off int64) (int, error) {
	kept := 0
	if off >= 0 && off < int64(len(h.front)) {
		h.mu.Lock()
		kept = copy(h.front[off:], p)
		h.mu.Unlock()
	}
	if kept == len(p) {
		return kept, nil
	}
	n, err := h.Disk.WriteAt(p[kept:], off+int64(kept))
	return kept + n, err
}

// Zero keeps what belongs to the front.
func (h *heldBack) Zero(off, n int64) error {
	front := extent.Extent{Length: int64(len(h.front))}
	if kept := front.Intersect(extent.Extent{Start: off, Length: n}); kept.Length > 0 {
		h.mu.Lock()
		clear(h.front[kept.Start:kept.End()])
		h.mu.Unlock()
		off, n = kept.End(), n-kept.Length
	}
	if n == 0 {
		return nil
	}
	return h.Disk.Zero(off, n)
}

// Discard gives back what is not the front.
func (h *heldBack) Discard(off, n int64) error {
	d, ok := h.Disk.(Discarder)
	if skip := min(n, max(0, int64(len(h.front))-off)); skip > 0 {
		off, n = off+skip, n-skip
	}
	if !ok || n == 0 {
		return nil
	}
	return d.Discard(off, n)
}
