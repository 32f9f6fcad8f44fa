package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// CleanUp is the one clean-up that runs on a store at a time. Nothing but its
// methods deletes packs, maps and manifests.
type CleanUp struct {
	// Expired are the writers whose abandoned leases it ended when it began.
	Expired []Lease

	store  *Store
	tenure *tenure
	lost   atomic.Pointer[error]
}

// BusyError says that another clean-up runs.
type BusyError struct{ Other Lease }

func (e *BusyError) Error() string {
	return fmt.Sprintf("another clean-up of this store runs: %v, last heard of at %s; let it finish",
		e.Other, e.Other.Seen.Local().Format("15:04:05"))
}

// BeginCleanUp ends the leases of abandoned writers and returns the clean-up,
// which must be closed. The error is a *BusyError while another one runs.
func (s *Store) BeginCleanUp(ctx context.Context) (*CleanUp, error) {
	l := s.newLease("clean-up")
	l.CleanUp = true
	t, err := s.hold(ctx, l)
	if err != nil {
		return nil, fmt.Errorf("begin clean-up: %w", err)
	}
	c := &CleanUp{store: s, tenure: t}
	if err := c.alone(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("begin clean-up: %w", err), t.end(ctx))
	}
	t.beat(ctx, func(err error) { c.lost.Store(&err) })
	return c, nil
}

// alone expires abandoned leases and looks for another clean-up. Of two that
// begin at once each puts its lease before it looks, so at most one goes on.
func (c *CleanUp) alone(ctx context.Context) error {
	own := c.tenure.lease.Writer
	o, err := c.store.backend.Stat(ctx, leaseKey(own, 0))
	if err != nil {
		return err
	}
	leases, err := c.store.Leases(ctx)
	if err != nil {
		return err
	}
	for _, l := range leases {
		switch {
		case l.Writer == own:
		case l.Abandoned(o.ModTime):
			if err := c.store.Expire(ctx, l.Writer); err != nil {
				return err
			}
			c.Expired = append(c.Expired, l)
		case l.CleanUp:
			return &BusyError{l}
		}
	}
	return c.sweepLeases(ctx, o.ModTime)
}

// sweepLeases deletes what is left of leases that have ended.
func (c *CleanUp) sweepLeases(ctx context.Context, now time.Time) error {
	objects, err := c.store.leaseObjects(ctx)
	if err != nil {
		return err
	}
	for _, numbers := range objects {
		if _, ok := numbers[0]; ok {
			continue
		}
		for _, o := range numbers {
			if now.Sub(o.ModTime) <= LeaseLimit {
				continue
			}
			if err := c.store.backend.Delete(ctx, o.Key); err != nil {
				return err
			}
		}
	}
	return nil
}

// Writers returns the leases of all others.
func (c *CleanUp) Writers(ctx context.Context) ([]Lease, error) {
	leases, err := c.store.Leases(ctx)
	return slices.DeleteFunc(leases, func(l Lease) bool { return l.Writer == c.tenure.lease.Writer }), err
}

// Condemn announces that the objects are going to be deleted.
func (c *CleanUp) Condemn(ctx context.Context, keys []string) error {
	for part := range slices.Chunk(keys, maxCondemned) {
		if err := c.held(ctx); err != nil {
			return err
		}
		if err := c.store.backend.Put(ctx, prefixCondemned+randomName(), seal(condemnation{part})); err != nil {
			return fmt.Errorf("condemn %d objects: %w", len(part), err)
		}
	}
	return nil
}

// Pending is the condemnations that are there, by name.
type Pending struct {
	Ready   map[string][]string // may be carried out
	Waiting map[string][]string // a running writer may not know them
	Writers []Lease             // those that others wait for
}

// Pending sorts the condemnations by whether every running writer knows them.
func (c *CleanUp) Pending(ctx context.Context) (Pending, error) {
	p := Pending{Ready: map[string][]string{}, Waiting: map[string][]string{}}
	// Nobody else condemns, so all of these were there before the leases are
	// listed: a writer that is not among those reads the condemnations after us.
	condemned, err := c.store.Condemned(ctx)
	if err != nil {
		return p, err
	}
	writers, err := c.Writers(ctx)
	if err != nil {
		return p, err
	}
	for name, keys := range condemned {
		ignorant := slices.DeleteFunc(slices.Clone(writers), func(l Lease) bool { return l.knows(name) })
		if keys == nil || len(ignorant) == 0 {
			p.Ready[name] = keys
			continue
		}
		p.Waiting[name] = keys
		for _, l := range ignorant {
			if !slices.ContainsFunc(p.Writers, func(have Lease) bool { return have.Writer == l.Writer }) {
				p.Writers = append(p.Writers, l)
			}
		}
	}
	return p, nil
}

// CarryOut deletes those keys of a condemnation of Pending.Ready that doomed says
// are still not needed, and then the condemnation. doomed must rest on names that
// were listed after Pending returned. deleted is called for each object that is gone.
func (c *CleanUp) CarryOut(ctx context.Context, name string, keys []string, doomed func(Object) (bool, error), deleted func(Object)) error {
	for _, key := range keys {
		o, err := c.store.backend.Stat(ctx, key)
		if errors.Is(err, ErrNotFound) {
			continue // by a clean-up that was interrupted
		}
		if err != nil {
			return err
		}
		if ok, err := doomed(o); err != nil {
			return err
		} else if !ok {
			continue
		}
		if err := c.held(ctx); err != nil {
			return err
		}
		if err := c.store.backend.Delete(ctx, key); err != nil {
			return err
		}
		deleted(o)
	}
	if err := c.held(ctx); err != nil {
		return err
	}
	return c.store.backend.Delete(ctx, prefixCondemned+name)
}

// held fails when another clean-up took this one for dead.
func (c *CleanUp) held(ctx context.Context) error {
	if p := c.lost.Load(); p != nil {
		return *p
	}
	return c.tenure.held(ctx)
}

// Close ends the clean-up.
func (c *CleanUp) Close(ctx context.Context) error { return c.tenure.end(ctx) }
