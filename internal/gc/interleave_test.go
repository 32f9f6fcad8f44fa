package gc

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// ledger is what the users of a store were told.
type ledger struct {
	mu     sync.Mutex
	images map[string][]int // published, and nobody began to remove them
	count  int
}

func (l *ledger) add(name string, blocks []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.images[name] = blocks
}

// take chooses an image that is about to be removed.
func (l *ledger) take(chance *rand.Rand) (name string, blocks []int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.images) == 0 {
		return "", nil
	}
	n := chance.IntN(l.count) + 1
	for ; l.images[imageName(n)] == nil; n = n%l.count + 1 {
	}
	name = imageName(n)
	blocks = l.images[name]
	delete(l.images, name)
	return name, blocks
}

func imageName(n int) string { return fmt.Sprintf("i%d:v", n) }

// fresh returns a name that nobody has used.
func (l *ledger) fresh() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count++
	return imageName(l.count)
}

// check reads every image that must be there.
func (l *ledger) check(ctx context.Context, s *store.Store) error {
	for name, blocks := range l.images {
		if err := wantImage(ctx, s, name, blocks); err != nil {
			return err
		}
	}
	return nil
}

// user is one program that works on the store.
type user struct {
	name   string
	store  *store.Store
	ledger *ledger
	chance *rand.Rand
}

// capturing captures images that share blocks with those of others.
func (u user) capturing(ctx context.Context) error {
	for range 2 {
		name := u.ledger.fresh()
		first := u.chance.IntN(4) * 3
		content := blocks(first, first+u.chance.IntN(2)*6+5)
		n, tag, _ := store.ParseName(name)
		if err := capture(ctx, u.store, n, tag, content, 6); err != nil {
			return err
		}
		u.ledger.add(name, content)
	}
	return nil
}

// removing takes names away, or gives images other names first.
func (u user) removing(ctx context.Context) error {
	for range 4 {
		name, content := u.ledger.take(u.chance)
		if name == "" {
			continue
		}
		other := u.ledger.fresh()
		rename := u.chance.IntN(2) == 0
		if rename {
			n, tag, _ := store.ParseName(other)
			_, err := catalog.Tag(ctx, u.store, name, n, tag)
			var condemned *store.CondemnedError
			if errors.As(err, &condemned) {
				u.ledger.add(name, content)
				continue
			}
			if err != nil {
				return err
			}
			u.ledger.add(other, content)
		}
		n, tag, _ := store.ParseName(name)
		if err := u.store.RemoveName(ctx, store.Name{Name: n, Tag: tag}); err != nil {
			return err
		}
	}
	return nil
}

func (u user) collecting(ctx context.Context) error {
	for range 3 {
		_, err := collect(ctx, u.store)
		var busy *store.BusyError
		if err != nil && !errors.As(err, &busy) {
			return err
		}
	}
	return nil
}

// TestInterleavings runs captures, removals, renames and clean-ups on one store,
// one backend call at a time in an order that a seed chooses: no published image
// loses a byte, and in the end one clean-up leaves nothing behind.
func TestInterleavings(t *testing.T) {
	for seed := range uint64(interleavings) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { interleave(t, seed) })
		})
		if t.Failed() {
			return
		}
	}
}

const interleavings = 120

func interleave(t *testing.T, seed uint64) {
	ctx := t.Context()
	sched := &scheduler{t: t, chance: rand.New(rand.NewPCG(seed, 1)), sleepy: seed%3 == 2}
	var base store.Backend = &mem.Backend{}
	if seed%2 == 0 {
		base = old{base}
	}
	s := newStore(t, base)
	shared := &ledger{images: map[string][]int{}}
	must(t, user{"setup", s, shared, rand.New(rand.NewPCG(seed, 2))}.capturing(ctx))

	var running atomic.Int32
	for i, work := range []func(user, context.Context) error{
		user.capturing, user.capturing, user.removing, user.removing, user.collecting, user.collecting,
	} {
		name := fmt.Sprint("user ", i)
		running.Add(1)
		go func() {
			defer running.Add(-1)
			own, err := store.Open(ctx, gate{base, sched, name})
			if err == nil {
				err = work(user{name, own, shared, rand.New(rand.NewPCG(seed, uint64(10+i)))}, ctx)
			}
			if err != nil && !sched.slept {
				t.Errorf("%s: %v", name, err)
			}
		}()
	}
	sched.run(func() bool { return running.Load() == 0 })

	must(t, shared.check(ctx, s))
	time.Sleep(store.LeaseLimit + time.Hour)
	_, err := collect(ctx, s)
	must(t, err)
	must(t, shared.check(ctx, s))
	images, damage, err := catalog.List(ctx, s)
	must(t, errors.Join(damage, err))
	must(t, wantNothingLeft(ctx, s, len(images)))
}
