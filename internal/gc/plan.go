package gc

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// plan is what a clean-up is going to do. It rests on a first look at the names;
// nothing is deleted without a second one.
type plan struct {
	garbage []store.Object // to be condemned: manifests, then maps, then packs
	repack  []*packState
	lost    []chunk.ID // packs with live chunks that no index knows
}

func (p *plan) keys() []string {
	var keys []string
	for _, o := range p.garbage {
		keys = append(keys, o.Key)
	}
	return keys
}

// packState is what the clean-up knows of a pack.
type packState struct {
	id     chunk.ID
	object store.Object
	needed int64 // stored bytes of live chunks for which this pack is the keeper
}

// before orders packs by how much they are worth keeping.
func (s *packState) before(o *packState) bool {
	return cmp.Or(cmp.Compare(s.object.Size, o.object.Size), bytes.Compare(s.id[:], o.id[:])) < 0
}

func (r *run) plan(ctx context.Context) (*plan, error) {
	condemned, err := r.store.Condemned(ctx)
	if err != nil {
		return nil, err
	}
	r.condemned = map[string]bool{}
	for _, keys := range condemned {
		for _, key := range keys {
			r.condemned[key] = true
		}
	}
	if r.writers, err = r.others(ctx); err != nil {
		return nil, err
	}
	packs, err := r.survey(ctx)
	for attempt := 0; err != nil; attempt++ {
		if err := r.repairIndexes(ctx, err, attempt); err != nil {
			return nil, err
		}
		packs, err = r.survey(ctx)
	}
	r.result.Images = len(r.live.manifests)
	p := &plan{}
	if err := r.unnamed(ctx, p); err != nil {
		return nil, err
	}
	return p, r.choosePacks(ctx, p, packs)
}

func (r *run) others(ctx context.Context) ([]store.Lease, error) {
	if r.cleanUp != nil {
		return r.cleanUp.Writers(ctx)
	}
	return r.store.Leases(ctx)
}

// young reports whether a running writer may have put the object. It is not worth
// condemning: the writer that is about to refer to it does not know that, so it
// would stay, and writers that begin later would store it again.
func (r *run) young(o store.Object) bool {
	return len(r.writers) > 0 && !o.ModTime.Before(r.writers[0].Begun)
}

// open makes the locator, over all packs that are not condemned.
func (r *run) open(ctx context.Context) error {
	locator, damaged, err := r.store.NewLocator(ctx, func(id chunk.ID) bool { return r.condemned[packKey(id)] })
	if err != nil {
		return err
	}
	r.locator = locator
	return errors.Join(damaged...)
}

func packKey(id chunk.ID) string { return string(store.PackKind) + "/" + id.String() }

// survey marks what is live and counts what is needed of each pack that is not
// condemned. Of several packs with one chunk, the smallest is its keeper: after
// a repacking that was interrupted, that is the new one.
func (r *run) survey(ctx context.Context) (map[chunk.ID]*packState, error) {
	packs := map[chunk.ID]*packState{}
	err := r.store.Packs(ctx, func(id chunk.ID, o store.Object) error {
		if !r.condemned[o.Key] {
			packs[id] = &packState{id: id, object: o}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.open(ctx); err != nil {
		return nil, err
	}
	if r.live == nil {
		r.live = newLive(r.store, r.locator.Records())
		if err := r.live.mark(ctx); err != nil {
			return nil, err
		}
	}
	return packs, r.locator.Each(ctx, func(id chunk.ID, places []pack.Location) error {
		if r.live.chunks.has(id) {
			keep(packs, places)
		}
		return nil
	})
}

func keep(packs map[chunk.ID]*packState, places []pack.Location) {
	var keeper *packState
	var at pack.Location
	for _, l := range places {
		p := packs[l.Pack] // nil when it was put since the packs were listed
		if p != nil && (keeper == nil || p.before(keeper)) {
			keeper, at = p, l
		}
	}
	if keeper != nil {
		keeper.needed += 1 + int64(at.Stored)*int64(at.Length)/int64(at.Plain)
	}
}

// repairIndexes does what lets a survey that failed with err succeed: damaged
// indexes are written anew; when another writer merged some, there is nothing to do.
func (r *run) repairIndexes(ctx context.Context, err error, attempt int) error {
	const attempts = 8
	var unreadable *UnreadableError
	var damaged *store.IntegrityError
	switch {
	case errors.As(err, &unreadable), attempt == attempts:
		return err
	case errors.As(err, &damaged):
	case errors.Is(err, store.ErrNotFound):
		return nil
	default:
		return err
	}
	if r.opts.DryRun {
		return fmt.Errorf("a dry run cannot look around damaged indexes, which 'ingot gc' writes anew: %w", err)
	}
	bad, err := r.store.RebuildIndexes(ctx, leaves(err))
	r.damage = append(r.damage, bad...)
	return err
}

// leaves are the errors that were joined in err.
func leaves(err error) []error {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		return joined.Unwrap()
	}
	return []error{err}
}

// unnamed adds the manifests and maps that nothing leads to.
func (r *run) unnamed(ctx context.Context, p *plan) error {
	collect := func(used map[chunk.ID]bool) func(chunk.ID, store.Object) error {
		return func(id chunk.ID, o store.Object) error {
			if !used[id] && !r.condemned[o.Key] && !r.young(o) {
				p.garbage = append(p.garbage, o)
			}
			return nil
		}
	}
	if err := r.store.Manifests(ctx, collect(r.live.manifests)); err != nil {
		return err
	}
	return r.store.Maps(ctx, collect(r.live.maps))
}

// choosePacks adds the packs that are garbage or worth repacking.
func (r *run) choosePacks(ctx context.Context, p *plan, packs map[chunk.ID]*packState) error {
	suspects := map[chunk.ID]bool{}
	for id, s := range packs {
		switch {
		case r.young(s.object):
		case s.needed == 0:
			suspects[id] = true
		case s.needed*100 < s.object.Size*int64(r.opts.RepackBelow):
			p.repack = append(p.repack, s)
		}
	}
	stage := r.work.Count("look into packs", "packs", int64(len(suspects)))
	// What an index says is a hint; what is deleted, the pack itself must say.
	elsewhere := r.locator.Without(func(id chunk.ID) bool { return suspects[id] })
	for id := range suspects {
		ok, err := r.dispensable(ctx, id, packs[id].object.Size, func(c pack.Chunk) (bool, error) {
			_, found, err := elsewhere.Find(c.ID)
			return found, err
		})
		if err != nil {
			return err
		}
		if ok {
			p.garbage = append(p.garbage, packs[id].object)
		} else {
			p.lost = append(p.lost, id)
		}
		stage.Add(1)
	}
	return nil
}

// dispensable reports whether the pack can go: elsewhere must be true for every
// live chunk in it. One whose table of contents is damaged can go when no map
// names it, as nothing can be read from it then.
func (r *run) dispensable(ctx context.Context, id chunk.ID, size int64, elsewhere func(pack.Chunk) (bool, error)) (bool, error) {
	frames, err := r.store.TOC(ctx, id, size)
	if err != nil {
		bad, err := damage(err)
		if err == nil && r.live.packs[id] {
			r.damage = append(r.damage, bad...)
		}
		return !r.live.packs[id], err
	}
	for _, f := range frames {
		for _, c := range f.Chunks {
			if !r.live.chunks.has(c.ID) {
				continue
			}
			if ok, err := elsewhere(c); err != nil || !ok {
				return false, err
			}
		}
	}
	return true, ctx.Err()
}
