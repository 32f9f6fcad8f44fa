// Package progress counts what a long piece of work has done, so that somebody
// else can show it. The work adds; the display reads; neither waits for the
// other. It knows no terminal: report draws it.
package progress

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Work is one run of a verb. The zero value with a Verb is ready to use.
type Work struct {
	Verb string // "capture", "deploy"

	mu     sync.Mutex
	stages []*Stage

	New     atomic.Int64 // plain bytes that the store did not have
	Reused  atomic.Int64 // plain bytes that it had
	Stored  atomic.Int64 // bytes that the new ones take in the store
	Written atomic.Int64 // bytes written to a target
	Same    atomic.Int64 // bytes that were on a target already

	// Network is where the store's bytes come over, nil for a store in a folder; Disk
	// is the disk that is read or written. They say where the time goes.
	Network *Traffic
	Disk    Traffic
}

// Stage is one volume, gap or step.
type Stage struct {
	Name  string // "partition 2, ext4 'root'"
	Unit  string // what is counted, in the plural: "packs"; "" for bytes
	Total int64
	Minor bool // counts, and is not worth a line of its own
	done  atomic.Int64
}

// Add counts n more of the stage as done.
func (s *Stage) Add(n int64) { s.done.Add(n) }

// Done is how much of the stage is done.
func (s *Stage) Done() int64 { return min(s.done.Load(), s.Total) }

// Stage announces a stage of total bytes.
func (w *Work) Stage(name string, total int64) *Stage {
	return w.announce(&Stage{Name: name, Total: total})
}

// Region announces a region of a disk, of total bytes. A gap between partitions
// is not worth a line of its own.
func (w *Work) Region(title string, total int64, gap bool) *Stage {
	return w.announce(&Stage{Name: title, Total: total, Minor: gap})
}

// Count announces a stage of total things that are no bytes: unit says what.
func (w *Work) Count(name, unit string, total int64) *Stage {
	return w.announce(&Stage{Name: name, Unit: unit, Total: total})
}

func (w *Work) announce(s *Stage) *Stage {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stages = append(w.stages, s)
	return s
}

// Stages returns the stages announced so far, in order.
func (w *Work) Stages() []*Stage {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.stages)
}
