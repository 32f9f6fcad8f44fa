package gc

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
)

// TestConcurrently is TestInterleavings with real programs' timing on a real
// folder; run it with -race.
func TestConcurrently(t *testing.T) {
	ctx := t.Context()
	b, err := local.Open(t.TempDir())
	must(t, err)
	s := newStore(t, old{b})
	shared := &ledger{images: map[string][]int{}}
	var g sync.WaitGroup
	for i := range 6 {
		u := user{fmt.Sprint("user ", i), s, shared, rand.New(rand.NewPCG(1, uint64(i)))}
		g.Go(func() {
			for range 3 {
				err := u.capturing(ctx)
				if err == nil && i%2 == 0 {
					err = u.removing(ctx)
				}
				if err == nil && i%3 == 0 {
					err = u.collecting(ctx)
				}
				if err != nil {
					t.Errorf("%s: %v", u.name, err)
				}
			}
		})
	}
	g.Wait()
	must(t, shared.check(ctx, s))
	_, err = collect(ctx, s)
	must(t, err)
	must(t, shared.check(ctx, s))
	images, damage, err := catalog.List(ctx, s)
	must(t, errors.Join(err, damage))
	must(t, wantNothingLeft(ctx, s, len(images)))
	must(t, s.Backend().List(ctx, "sessions/", func(o store.Object) error { return fmt.Errorf("%s is left", o.Key) }))
}
