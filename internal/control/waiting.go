package control

import "sync"

// waiting is the agents that wait for work, by their machines.
type waiting struct {
	mu sync.Mutex
	of map[string]*waiter
}

type waiter struct {
	wake  chan struct{} // closed when there is something to hear
	count int           // of agents, one but for moments
}

func newWaiting() *waiting { return &waiting{of: map[string]*waiter{}} }

// listen is a channel that is closed at the next wake of a machine. What is read
// after listen and before the channel is closed is not missed. done must be called.
func (w *waiting) listen(machine string) (wake <-chan struct{}, done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.of[machine]
	if one == nil {
		one = &waiter{wake: make(chan struct{})}
		w.of[machine] = one
	}
	one.count++
	return one.wake, func() { w.leave(machine, one) }
}

func (w *waiting) leave(machine string, one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if one.count--; one.count == 0 && w.of[machine] == one {
		delete(w.of, machine)
	}
}

// wake lets the agents of machines ask again.
func (w *waiting) wake(machines ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range machines {
		if one := w.of[m]; one != nil {
			close(one.wake)
			delete(w.of, m)
		}
	}
}

// waits reports whether an agent of a machine waits now.
func (w *waiting) waits(machine string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.of[machine] != nil
}
