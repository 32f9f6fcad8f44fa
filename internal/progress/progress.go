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
}

// Stage is one volume, gap or step.
type Stage struct {
	Name  string // "partition 2, ext4 'root'"
	Total int64  // bytes
	done  atomic.Int64
}

// Add counts n more bytes of the stage as done.
func (s *Stage) Add(n int64) { s.done.Add(n) }

// Done is the number of bytes of the stage that are done.
func (s *Stage) Done() int64 { return min(s.done.Load(), s.Total) }

// Stage announces a stage.
func (w *Work) Stage(name string, total int64) *Stage {
	s := &Stage{Name: name, Total: total}
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

// Done and Total sum over the stages.
func (w *Work) Done() (done, total int64) {
	for _, s := range w.Stages() {
		done, total = done+s.Done(), total+s.Total
	}
	return done, total
}
