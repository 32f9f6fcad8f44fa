package progress

import (
	"sync"
	"sync/atomic"
	"time"
)

// Traffic counts what goes to and comes from one side: a network, a disk. The zero
// value is ready to use, and a nil one counts nothing.
type Traffic struct {
	In  atomic.Int64 // bytes read or fetched
	Out atomic.Int64 // bytes written or sent

	mu      sync.Mutex
	waiting int
	since   time.Time
	busy    time.Duration
}

// Begin says that somebody waits for this side; the function it returns, that it
// does no more.
func (t *Traffic) Begin() (end func()) {
	if t == nil {
		return func() {}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == 0 {
		t.since = time.Now()
	}
	t.waiting++
	return t.end
}

func (t *Traffic) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting--
	if t.waiting == 0 {
		t.busy += time.Since(t.since)
	}
}

// AddIn counts n more bytes in.
func (t *Traffic) AddIn(n int64) {
	if t != nil {
		t.In.Add(n)
	}
}

// AddOut counts n more bytes out.
func (t *Traffic) AddOut(n int64) {
	if t != nil {
		t.Out.Add(n)
	}
}

// Busy is for how long at least one goroutine waited for this side. It is no more
// than the time that passed, however many waited at once.
func (t *Traffic) Busy() time.Duration {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting > 0 {
		return t.busy + time.Since(t.since)
	}
	return t.busy
}
