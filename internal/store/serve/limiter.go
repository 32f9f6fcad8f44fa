package serve

import (
	"context"
	"sync"
	"time"
)

// Limiter bounds the bytes per second of all that share it. Who waits longest goes
// next, so that each gets an equal part. A nil Limiter bounds nothing.
type Limiter struct {
	mu   sync.Mutex
	rate int64     // bytes per second; 0: no bound
	free time.Time // when what was let through until now will have been sent
}

// slack is how much may be sent at once after a pause.
const slack = 50 * time.Millisecond

// NewLimiter returns a Limiter of so many bytes per second; 0 is no bound.
func NewLimiter(rate int64) *Limiter { return &Limiter{rate: rate} }

// SetRate changes the bound for what has not begun to wait yet.
func (l *Limiter) SetRate(rate int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rate = rate
}

// Wait returns when n more bytes may be sent.
func (l *Limiter) Wait(ctx context.Context, n int64) error {
	if l == nil {
		return ctx.Err()
	}
	pause := l.reserve(time.Now(), n)
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// reserve books n bytes and returns how long to wait for them.
func (l *Limiter) reserve(now time.Time, n int64) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rate <= 0 {
		return 0
	}
	if earliest := now.Add(-slack); l.free.Before(earliest) {
		l.free = earliest
	}
	pause := l.free.Sub(now)
	l.free = l.free.Add(time.Duration(float64(n) / float64(l.rate) * float64(time.Second)))
	return pause
}
