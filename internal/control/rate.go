package control

import (
	"context"
	"sync"
	"time"
)

// Rate caps the bytes a second of several at once.
type Rate struct {
	perSecond int64
	mu        sync.Mutex
	free      time.Time // from when on more may pass
}

// Wait returns when n more bytes may pass, or with ctx's error. A nil Rate never
// waits.
func (r *Rate) Wait(ctx context.Context, n int64) error {
	if r == nil || n <= 0 {
		return ctx.Err()
	}
	r.mu.Lock()
	now := time.Now()
	if r.free.Before(now) {
		r.free = now
	}
	wait := r.free.Sub(now)
	r.free = r.free.Add(time.Duration(float64(n) / float64(r.perSecond) * float64(time.Second)))
	r.mu.Unlock()
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
