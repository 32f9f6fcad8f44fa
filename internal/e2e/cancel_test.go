package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/deploy"
)

// canceller is a disk that calls cancel at a certain read or write.
type canceller struct {
	*blocktest.Memory
	left   atomic.Int64
	cancel func()
}

func (c *canceller) count() {
	if c.left.Add(-1) == 0 {
		c.cancel()
	}
}

func (c *canceller) ReadAt(p []byte, off int64) (int, error) {
	c.count()
	return c.Memory.ReadAt(p, off)
}

func (c *canceller) WriteAt(p []byte, off int64) (int, error) {
	c.count()
	return c.Memory.WriteAt(p, off)
}

// TestCancel cancels captures, deploys and clones somewhere in the middle. They
// return at once, leave no goroutine behind, and the target keeps its marker.
func TestCancel(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 0))
	d := newDisk(t, rng, "gpt", 512, small("ext4", "ntfs", "unknown"))
	s := newStore(t)
	image := take(t, s, d, "v1")
	before := garbage(d.Size(), 512)
	running := runtime.NumGoroutine()
	for i := range 24 {
		ctx, cancel := context.WithCancel(t.Context())
		disk := &canceller{cancel: cancel}
		disk.left.Store(1 + rng.Int64N(20))
		var err error
		began := time.Now()
		switch i % 3 {
		case 0:
			disk.Memory = d.Memory
			var plan *capture.Plan
			if plan, err = planCapture(t.Context(), disk, capture.Options{}); err == nil {
				disk.left.Store(1 + rng.Int64N(6))
				_, err = run(ctx, newStore(t), plan, "v2")
			}
		case 1:
			disk.Memory = before.Clone()
			_, _, err = put(ctx, image, disk, false, deploy.Options{Full: i%2 == 0, Readback: true})
		default:
			disk.Memory = before.Clone()
			_, _, err = clone(ctx, image.plan, disk, deploy.Options{Full: i%2 == 0})
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v to stop", took)
		}
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		if i%3 > 0 && err != nil && equal(before, disk.Memory, 0, d.Size()) != nil {
			unfinished(t, disk.Memory)
		}
		cancel()
		settled(t, running)
	}
}

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 1<<16)
	t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
}
