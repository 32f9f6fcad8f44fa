package gc

import (
	"context"
	"errors"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// carryOut deletes what is condemned, by this clean-up or an earlier one, as far
// as every running writer knows that. What has come to be needed is pardoned.
func (r *run) carryOut(ctx context.Context) error {
	pending, err := r.cleanUp.Pending(ctx)
	if err != nil {
		return err
	}
	r.waitFor(pending.Writers)
	for _, keys := range pending.Waiting {
		if err := r.countWaiting(ctx, keys); err != nil {
			return err
		}
	}
	if len(pending.Ready) == 0 {
		return nil
	}
	// The second look at the names, after the look at the leases.
	if err := r.live.mark(ctx); err != nil {
		return err
	}
	r.result.Images = len(r.live.manifests)
	j, err := r.newJudge(ctx, pending)
	if err != nil {
		return err
	}
	defer j.reader.Close()
	for name, keys := range pending.Ready {
		err := r.cleanUp.CarryOut(ctx, name, keys, func(o store.Object) (bool, error) { return j.doomed(ctx, o) }, r.countDeleted)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) countDeleted(o store.Object) {
	r.result.Objects++
	r.result.Freed += o.Size
}

func (r *run) countWaiting(ctx context.Context, keys []string) error {
	for _, key := range keys {
		o, err := r.store.Backend().Stat(ctx, key)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		r.result.Waiting += o.Size
	}
	return nil
}

// judge says of each condemned object whether it is still not needed.
type judge struct {
	*run
	stays  *store.Locator // over packs that are not condemned
	reader *store.Reader
	buf    []byte
}

func (r *run) newJudge(ctx context.Context, pending store.Pending) (*judge, error) {
	condemned := map[string]bool{}
	for _, all := range []map[string][]string{pending.Ready, pending.Waiting} {
		for _, keys := range all {
			for _, key := range keys {
				condemned[key] = true
			}
		}
	}
	stays, _, err := r.store.NewLocator(ctx, func(id chunk.ID) bool { return condemned[packKey(id)] })
	if err != nil {
		return nil, err
	}
	reader, err := r.store.NewReader()
	return &judge{run: r, stays: stays, reader: reader}, err
}

func (j *judge) doomed(ctx context.Context, o store.Object) (bool, error) {
	kind, id, ok := store.ParseKey(o.Key)
	if !ok {
		return false, nil // of a newer program: not ours to judge
	}
	switch kind {
	case store.ManifestKind:
		return !j.live.manifests[id], nil
	case store.MapKind:
		return !j.live.maps[id], nil
	}
	return j.dispensable(ctx, id, o.Size, func(c pack.Chunk) (bool, error) { return j.intactElsewhere(ctx, c) })
}

// intactElsewhere reads the chunk from a pack that stays.
func (j *judge) intactElsewhere(ctx context.Context, c pack.Chunk) (bool, error) {
	j.buf = slices.Grow(j.buf[:0], int(c.Length))[:c.Length]
	var tried []chunk.ID
	for {
		at, ok, err := j.stays.Find(c.ID, tried...)
		if err != nil || !ok {
			return false, err
		}
		bad, err := damage(j.reader.ReadAt(ctx, c.ID, at, j.buf))
		if err != nil {
			return false, err
		}
		if len(bad) == 0 {
			return true, nil
		}
		j.damage = append(j.damage, bad...)
		tried = append(tried, at.Pack)
	}
}
