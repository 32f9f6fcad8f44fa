// Package gc is the clean-up: it finds what no name leads to any more, and
// deletes it while captures run and however often it is killed.
//
// It owns what counts as needed, and which packs are worth repacking. The store
// owns the protocol by which writers and a clean-up share it without locks
// (store.CleanUp; the proof is doc/decisions/0004-clean-up-without-locks.md).
// It refuses to delete anything while a name, or a manifest or map that a name
// leads to, cannot be read, and it never deletes a pack before each live chunk in
// it was read, intact, from another place. Begin with Run.
package gc

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Options are what a clean-up can be told.
type Options struct {
	// RepackBelow is the part of a pack, in percent, that must be needed for the
	// pack to stay as it is; what is needed of others moves to new packs.
	RepackBelow int
	DryRun      bool // look only: no object is put or deleted
}

// DefaultRepackBelow keeps a store within twice of what it needs, and reads and
// writes each byte that stays once per halving at most.
const DefaultRepackBelow = 50

// sweepAge is how old a temporary file must be to be a killed writer's.
const sweepAge = 24 * time.Hour

// Result is what a clean-up did, or after a dry run, would have done.
type Result struct {
	DryRun  bool  `json:"dryRun"`
	Images  int   `json:"images"` // that have a name; all stay
	Objects int   `json:"deletedObjects"`
	Freed   int64 `json:"freedBytes"` // of deleted objects and of temporary files
	Moved   int64 `json:"movedBytes"` // put into new packs to free others
	Packs   int   `json:"repackedPacks"`
	Indexed int   `json:"indexedPacks"` // that no index knew
	Waiting int64 `json:"waitingBytes"` // deleted by a later clean-up, when the writers in WaitingFor have ended

	WaitingFor []string `json:"waitingFor"`
	Expired    []string `json:"expired"` // writers that were not heard of for too long
}

// UnreadableError says that it is not known what some images need, so that
// nothing was deleted.
type UnreadableError struct{ Bad []error }

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("nothing was deleted, as it cannot be read what these images need:\n%v\n"+
		"get the objects back from a copy of the store, or give the images up with 'ingot rm'; then run 'ingot gc' again", errors.Join(e.Bad...))
}

func (e *UnreadableError) Unwrap() []error { return e.Bad }

// DamageError says that the clean-up is done, but for packs that are damaged.
type DamageError struct{ Bad []error }

func (e *DamageError) Error() string {
	return fmt.Sprintf("the clean-up is done, but met damage; 'ingot check' tells which images it touches:\n%v", errors.Join(e.Bad...))
}

func (e *DamageError) Unwrap() []error { return e.Bad }

// run is one clean-up.
type run struct {
	store   *store.Store
	opts    Options
	work    *progress.Work
	cleanUp *store.CleanUp // nil in a dry run

	condemned map[string]bool // keys that an earlier clean-up condemned
	writers   []store.Lease
	locator   *store.Locator // over all packs
	live      *live
	damage    []error
	result    Result
}

// Run cleans the store up. Errors: *store.BusyError while another clean-up runs,
// *UnreadableError, *DamageError; after the last one everything else was done.
func Run(ctx context.Context, s *store.Store, opts Options, work *progress.Work) (Result, error) {
	r := &run{store: s, opts: opts, work: work, result: Result{DryRun: opts.DryRun, WaitingFor: []string{}, Expired: []string{}}}
	if opts.DryRun {
		err := r.look(ctx)
		return r.result, err
	}
	c, err := s.BeginCleanUp(ctx)
	if err != nil {
		return r.result, err
	}
	r.cleanUp = c
	for _, l := range c.Expired {
		r.result.Expired = append(r.result.Expired, l.String())
	}
	err = r.clean(ctx)
	return r.result, errors.Join(err, c.Close(ctx))
}

// clean does everything, in an order in which it may stop anywhere.
func (r *run) clean(ctx context.Context) error {
	p, err := r.plan(ctx)
	if err != nil {
		return err
	}
	if err := r.index(ctx, p.lost); err != nil {
		return err
	}
	repacked, err := r.repack(ctx, p)
	if err != nil {
		return err
	}
	if err := r.cleanUp.Condemn(ctx, append(p.keys(), repacked...)); err != nil {
		return err
	}
	if err := r.carryOut(ctx); err != nil {
		return err
	}
	if err := r.store.MergeIndexes(ctx); err != nil {
		return err
	}
	if err := r.sweep(); err != nil {
		return err
	}
	return r.damageError()
}

// look is a dry run.
func (r *run) look(ctx context.Context) error {
	p, err := r.plan(ctx)
	if err != nil {
		return err
	}
	var bytes int64
	for _, o := range p.garbage {
		bytes += o.Size
	}
	for _, pack := range p.repack {
		bytes += pack.object.Size
		r.result.Moved += pack.needed
	}
	r.result.Packs, r.result.Indexed = len(p.repack), len(p.lost)
	if len(r.writers) > 0 {
		r.result.Waiting = bytes
		r.waitFor(r.writers)
		return r.damageError()
	}
	r.result.Freed, r.result.Objects = bytes, len(p.garbage)+len(p.repack)
	return r.damageError()
}

func (r *run) damageError() error {
	if len(r.damage) == 0 {
		return nil
	}
	return &DamageError{r.damage}
}

func (r *run) waitFor(writers []store.Lease) {
	for _, l := range writers {
		if !slices.Contains(r.result.WaitingFor, l.String()) {
			r.result.WaitingFor = append(r.result.WaitingFor, l.String())
		}
	}
}

// index writes the places of packs that hold live chunks which no index knows.
func (r *run) index(ctx context.Context, lost []chunk.ID) error {
	if len(lost) == 0 {
		return nil
	}
	bad, err := r.store.Reindex(ctx, lost) // bad is in r.damage since the plan looked into these packs
	r.result.Indexed += len(lost) - len(bad)
	return err
}

// sweeper is a backend in which killed writers leave something behind.
type sweeper interface {
	Sweep(age time.Duration) (freed int64, err error)
}

func (r *run) sweep() error {
	b, ok := r.store.Backend().(sweeper)
	if !ok {
		return nil
	}
	freed, err := b.Sweep(sweepAge)
	r.result.Freed += freed
	return err
}
