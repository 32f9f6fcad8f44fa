package storetest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ingot-imaging/ingot/internal/store"
)

// testOneWins puts different bytes under one key from many goroutines: exactly
// one put succeeds, its bytes are there, and every other gets ErrExists.
func testOneWins(t *testing.T, b store.Backend) {
	const rounds, writers = 20, 8
	for round := range rounds {
		key := fmt.Sprintf("names/lab/v%d", round)
		var winner atomic.Int32
		var wins atomic.Int32
		start := make(chan struct{})
		var g sync.WaitGroup
		for w := range writers {
			g.Go(func() {
				<-start
				err := b.Put(t.Context(), key, pattern(byte(w), 1000))
				switch {
				case err == nil:
					wins.Add(1)
					winner.Store(int32(w))
				case !errors.Is(err, store.ErrExists):
					t.Error(err)
				}
			})
		}
		close(start)
		g.Wait()
		if wins.Load() != 1 {
			t.Fatalf("round %d: %d puts of one key succeeded", round, wins.Load())
		}
		want(t, b, key, pattern(byte(winner.Load()), 1000))
	}
}

// testNeverPart looks at objects while they are put: each is absent or whole.
func testNeverPart(t *testing.T, b store.Backend) {
	const objects, size = 12, 2 << 20
	data := pattern(9, size)
	done := make(chan struct{})
	var looking sync.WaitGroup
	for range 2 {
		looking.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				if err := lookWhole(t, b, named("packs/", fmt.Sprintf("%02x", i%objects)), data); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range objects {
		put(t, b, named("packs/", fmt.Sprintf("%02x", i)), data)
	}
	close(done)
	looking.Wait()
}

// lookWhole returns an error when key is there and not whole.
func lookWhole(t *testing.T, b store.Backend, key string, data []byte) error {
	o, err := b.Stat(t.Context(), key)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if o.Size != int64(len(data)) {
		return fmt.Errorf("%s had %d of its %d bytes", key, o.Size, len(data))
	}
	last := make([]byte, 1)
	if err := b.Get(t.Context(), key, last, o.Size-1); err != nil {
		return err
	}
	if last[0] != data[len(data)-1] {
		return fmt.Errorf("%s was visible before its last byte was written", key)
	}
	return nil
}
