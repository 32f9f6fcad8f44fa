package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// tenure is the time for which a writer holds its own lease.
type tenure struct {
	store *Store
	lease Lease // belongs to the goroutine that renews it

	stop    context.CancelFunc
	beating sync.WaitGroup
}

// hold puts a new lease.
func (s *Store) hold(ctx context.Context, l Lease) (*tenure, error) {
	if err := s.backend.Put(ctx, leaseKey(l.Writer, 0), seal(l)); err != nil {
		return nil, fmt.Errorf("put lease: %w", err)
	}
	return &tenure{store: s, lease: l, stop: func() {}}, nil
}

// know says in the lease which condemnations the writer has read. It comes
// before beat.
func (t *tenure) know(ctx context.Context, condemnations []string) error {
	t.lease.Knows = condemnations
	return t.renew(ctx)
}

// beat renews the lease until the tenure ends, and calls lost when somebody
// expired it. A renewal that fails otherwise is tried again the next time:
// there are some hundred of them before the lease counts as abandoned.
func (t *tenure) beat(ctx context.Context, lost func(error)) {
	ctx, t.stop = context.WithCancel(context.WithoutCancel(ctx))
	t.beating.Go(func() {
		tick := time.NewTicker(leaseBeat)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := t.renew(ctx); errors.Is(err, errExpired) {
				lost(err)
				return
			}
		}
	})
}

// renew puts the lease under its next number. The number before stays until the
// next time, so that a listing in which one comes and one goes sees one of them.
func (t *tenure) renew(ctx context.Context) error {
	if err := t.held(ctx); err != nil {
		return err
	}
	b, l := t.store.backend, &t.lease
	l.number++
	if err := b.Put(ctx, leaseKey(l.Writer, l.number), seal(l)); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	if l.number <= 2 {
		return nil
	}
	if err := b.Delete(ctx, leaseKey(l.Writer, l.number-2)); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return nil
}

// held returns errExpired when somebody has ended the tenure.
func (t *tenure) held(ctx context.Context) error {
	_, err := t.store.backend.Stat(ctx, leaseKey(t.lease.Writer, 0))
	if errors.Is(err, ErrNotFound) {
		return errExpired
	}
	if err != nil {
		return fmt.Errorf("look for own lease: %w", err)
	}
	return nil
}

// end gives the lease up.
func (t *tenure) end(ctx context.Context) error {
	t.stop()
	t.beating.Wait()
	return t.store.Expire(context.WithoutCancel(ctx), t.lease.Writer)
}
