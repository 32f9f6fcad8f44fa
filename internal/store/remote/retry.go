package remote

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

const (
	firstPause = 200 * time.Millisecond
	lastPause  = 10 * time.Second
	// serverTries is how often a server that answers, but with a fault of its own, is
	// asked before that is believed.
	serverTries = 6
)

// passing is an error that may be gone when the same is asked again.
type passing struct {
	err      error
	answered bool          // the server did answer: it will not get better for long
	after    time.Duration // the server asks for this pause
}

func (e *passing) Error() string { return e.err.Error() }
func (e *passing) Unwrap() error { return e.err }

// repeat calls once until it succeeds or fails for good, or it has come no further for
// the time after which the server counts as lost. once tells the watch whenever bytes
// move; its context ends when it does not for as long as the watch allows.
func (b *Backend) repeat(ctx context.Context, act string, once func(ctx context.Context, w *watch) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", act, err)
	}
	defer b.traffic.Begin()()
	lastMove, faults := time.Now(), 0
	for tries := 0; ; tries++ {
		moved, err := b.attempt(ctx, once)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", act, ctx.Err())
		}
		var again *passing
		if !errors.As(err, &again) {
			return fmt.Errorf("%s: %w", act, err)
		}
		if again.answered {
			faults++
		}
		if faults == serverTries {
			return fmt.Errorf("%s: %w", act, err)
		}
		if moved {
			lastMove, tries = time.Now(), 0
		}
		if silent := time.Since(lastMove); silent >= b.giveUp {
			return fmt.Errorf("%s: %w", act, &UnreachableError{Server: b.base, Silent: silent, Err: again.err})
		}
		b.log.Warn("the server is asked again", "for", act, "try", tries+2, "error", again.err)
		if err := pause(ctx, tries, again.after, lastMove.Add(b.giveUp)); err != nil {
			return fmt.Errorf("%s: %w", act, err)
		}
	}
}

// attempt calls once under a watch.
func (b *Backend) attempt(ctx context.Context, once func(context.Context, *watch) error) (moved bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w := &watch{stall: b.stall}
	w.timer = time.AfterFunc(b.stall, func() { cancel(errStalled) })
	defer w.timer.Stop()
	err = once(ctx, w)
	if err != nil && errors.Is(context.Cause(ctx), errStalled) {
		err = &passing{err: fmt.Errorf("%w for %v", errStalled, b.stall)}
	}
	return w.moved, err
}

var errStalled = errors.New("the connection was silent")

// watch ends an attempt during which nothing moves.
type watch struct {
	stall time.Duration
	timer *time.Timer
	moved bool
}

// alive says that bytes have moved.
func (w *watch) alive() { w.timer.Reset(w.stall) }

// kept says that bytes have moved that need not be asked for again.
func (w *watch) kept() {
	w.moved = true
	w.alive()
}

// patient gives the server more time to answer than between two bytes.
func (w *watch) patient(d time.Duration) { w.timer.Reset(max(d, w.stall)) }

// pause waits before try number tries+2: longer each time, and not all clients at
// once, but never beyond the end.
func pause(ctx context.Context, tries int, asked time.Duration, end time.Time) error {
	longest := min(firstPause<<min(tries, 10), lastPause)
	d := max(longest/2+rand.N(longest/2+1), min(asked, lastPause))
	timer := time.NewTimer(max(min(d, time.Until(end)), 0))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
