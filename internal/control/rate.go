package control

import (
	"context"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Rate caps the bytes a second of several at once.
type Rate struct {
	perSecond int64
	mu        sync.Mutex
	free      time.Time // from when on more may pass
}

// Wait returns when n more bytes may pass, or with ctx's error. A nil Rate never
// waits. Large n pass whole, and those after them wait: the cap holds on average.
func (r *Rate) Wait(ctx context.Context, n int64) error {
	if r == nil || n <= 0 {
		return ctx.Err()
	}
	wait := r.book(time.Now(), n)
	if wait <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// book takes the time that n bytes need, and says when it begins.
func (r *Rate) book(now time.Time, n int64) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.free.Before(now) {
		r.free = now
	}
	wait := r.free.Sub(now)
	r.free = r.free.Add(time.Duration(float64(n) / float64(r.perSecond) * float64(time.Second)))
	return wait
}

// rates are the caps of batches, one for all jobs of each.
type rates struct {
	mu      sync.Mutex
	byBatch map[string]*Rate
}

func newRates() *rates { return &rates{byBatch: map[string]*Rate{}} }

func (r *rates) of(b fleet.Batch) *Rate {
	if b.Spec.Rate <= 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byBatch[b.ID] == nil {
		r.byBatch[b.ID] = &Rate{perSecond: b.Spec.Rate}
	}
	return r.byBatch[b.ID]
}

// only forgets the caps of batches that are not among open.
func (r *rates) only(open []fleet.Batch) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := map[string]*Rate{}
	for _, b := range open {
		if rate := r.byBatch[b.ID]; rate != nil {
			kept[b.ID] = rate
		}
	}
	r.byBatch = kept
}
