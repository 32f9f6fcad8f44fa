package gc

import (
	"cmp"
	"context"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// scheduler lets one backend call happen at a time, and chooses which of those
// that wait is next, so that a seed stands for an interleaving. It runs in a
// synctest bubble: its clock moves only when it sleeps.
type scheduler struct {
	t      *testing.T
	chance *rand.Rand
	sleepy bool // let hours pass now and then, while every program stands still

	mu      sync.Mutex
	waiting []*call
	slept   bool
	steps   int
	frozen  string // an actor that gets no turn
	until   int    // the step at which it thaws
}

// call is a backend call that waits for its turn.
type call struct {
	actor, op string
	turn      chan struct{}
}

// wait blocks until it is the turn of the call.
func (s *scheduler) wait(actor, op string) {
	c := &call{actor, op, make(chan struct{})}
	s.mu.Lock()
	s.waiting = append(s.waiting, c)
	s.mu.Unlock()
	<-c.turn
}

// run gives turns until the actors are done.
func (s *scheduler) run(done func() bool) {
	last := ""
	for {
		synctest.Wait()
		if done() {
			return
		}
		switch {
		case s.sleepy && s.chance.IntN(400) == 0 && !s.deleting():
			time.Sleep(store.LeaseLimit + time.Hour)
			synctest.Wait()
			s.slept = true
		case s.chance.IntN(30) == 0:
			time.Sleep(3 * time.Minute) // leases are renewed
			synctest.Wait()
		}
		c := s.next(last)
		if c == nil {
			s.t.Fatal("nobody is done and nobody waits for a turn")
		}
		last = c.actor
		close(c.turn)
	}
}

// next takes a call out of those that wait. Mostly an actor goes on for a while,
// as programs do, and now and then one stands still for long: that finds more
// than pure chance.
func (s *scheduler) next(last string) *call {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.waiting) == 0 {
		return nil
	}
	if s.steps++; s.chance.IntN(150) == 0 {
		s.frozen, s.until = last, s.steps+s.chance.IntN(1000)
	}
	slices.SortFunc(s.waiting, func(a, b *call) int { return cmp.Or(cmp.Compare(a.actor, b.actor), cmp.Compare(a.op, b.op)) })
	i := s.chance.IntN(len(s.waiting))
	if s.chance.IntN(8) > 0 {
		if same := slices.IndexFunc(s.waiting, func(c *call) bool { return c.actor == last }); same >= 0 {
			i = same
		}
	}
	if s.steps < s.until && s.waiting[i].actor == s.frozen {
		if other := slices.IndexFunc(s.waiting, func(c *call) bool { return c.actor != s.frozen }); other >= 0 {
			i = other
		}
	}
	c := s.waiting[i]
	s.waiting = slices.Delete(s.waiting, i, i+1)
	return c
}

// deleting reports whether a clean-up stands right before a deletion: one that
// stands there for half a day is the hole that the decision page admits.
func (s *scheduler) deleting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.waiting, func(c *call) bool {
		return strings.HasPrefix(c.op, "delete packs/") || strings.HasPrefix(c.op, "delete maps/") || strings.HasPrefix(c.op, "delete manifests/")
	})
}

// gate is a backend as one actor sees it.
type gate struct {
	store.Backend
	sched *scheduler
	actor string
}

func (g gate) Put(ctx context.Context, key string, data []byte) error {
	g.sched.wait(g.actor, "put "+key)
	return g.Backend.Put(ctx, key, data)
}

func (g gate) Get(ctx context.Context, key string, p []byte, off int64) error {
	g.sched.wait(g.actor, "get "+key)
	return g.Backend.Get(ctx, key, p, off)
}

func (g gate) Stat(ctx context.Context, key string) (store.Object, error) {
	g.sched.wait(g.actor, "stat "+key)
	return g.Backend.Stat(ctx, key)
}

func (g gate) Delete(ctx context.Context, key string) error {
	g.sched.wait(g.actor, "delete "+key)
	return g.Backend.Delete(ctx, key)
}

// List is as bad as readdir(3) may be: it walks over the keys in a strange order
// while they come and go, and lists what it passes while it is there.
func (g gate) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	seed := maphash.MakeSeed()
	for at := uint64(0); ; {
		g.sched.wait(g.actor, "list "+prefix)
		var next store.Object
		best := uint64(0)
		err := g.Backend.List(ctx, prefix, func(o store.Object) error {
			if h := maphash.String(seed, o.Key) | 1; h > at && (best == 0 || h < best) {
				next, best = o, h
			}
			return nil
		})
		if err != nil || best == 0 {
			return err
		}
		at = best
		if err := yield(next); err != nil {
			return err
		}
	}
}
