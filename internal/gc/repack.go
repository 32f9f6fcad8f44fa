package gc

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// repack moves the live chunks of packs that are mostly garbage into new ones,
// durable and indexed, and returns the keys of those that are not needed any
// more. It never trusts the packs that the plan condemns to stay.
func (r *run) repack(ctx context.Context, p *plan) (keys []string, err error) {
	if len(p.repack) == 0 {
		return nil, nil
	}
	var without []chunk.ID
	for _, s := range p.repack {
		without = append(without, s.id)
	}
	for _, o := range p.garbage {
		if kind, id, _ := store.ParseKey(o.Key); kind == store.PackKind {
			without = append(without, id)
		}
	}
	ses, err := r.store.BeginWithout(ctx, "clean-up (repacking)", without)
	if err != nil {
		return nil, err
	}
	keys, err = r.moveAll(ctx, ses, p.repack)
	r.result.Moved = ses.Stats.Stored.Load()
	r.result.Packs = len(keys)
	return keys, errors.Join(err, ses.Close(ctx))
}

func (r *run) moveAll(ctx context.Context, ses *store.Session, packs []*packState) (keys []string, err error) {
	w, err := ses.NewWriter()
	if err != nil {
		return nil, err
	}
	dec, err := pack.NewDecoder()
	if err != nil {
		return nil, err
	}
	defer dec.Close()
	stage := r.work.Count("repack", "packs", int64(len(packs)))
	for _, s := range packs {
		bad, err := damage(r.move(ctx, w, dec, s.id))
		if err != nil {
			return nil, err
		}
		if len(bad) == 0 {
			keys = append(keys, s.object.Key)
		}
		r.damage = append(r.damage, bad...) // the pack stays: other programs may read around the damage
		stage.Add(1)
	}
	if err := w.Close(ctx); err != nil {
		return nil, err
	}
	return keys, ses.Sync(ctx)
}

// move puts the live chunks of one pack into the session's packs.
func (r *run) move(ctx context.Context, w *store.Writer, dec *pack.Decoder, id chunk.ID) error {
	data, err := r.store.Pack(ctx, id)
	if err != nil {
		return err
	}
	damaged := func(off uint32, why string) error {
		return &store.IntegrityError{Key: packKey(id), Offset: int64(off), Why: why}
	}
	frames, err := pack.Parse(data)
	if err != nil {
		return damaged(0, err.Error())
	}
	var plain []byte
	for _, f := range frames {
		if !r.anyLive(f) {
			continue
		}
		out, err := dec.Decode(plain, data[f.Offset:f.Offset+f.Stored], f.Codec, f.Plain)
		if err != nil {
			return damaged(f.Offset, err.Error())
		}
		for _, c := range f.Chunks {
			if !r.live.chunks.has(c.ID) {
				continue
			}
			got, _, _, err := w.Put(ctx, out[c.Offset:c.Offset+c.Length])
			if err != nil {
				return err
			}
			if got != c.ID {
				return damaged(f.Offset, fmt.Sprintf("chunk hashes to %s, not to %s", got.Short(), c.ID.Short()))
			}
		}
		if f.Codec != pack.Stored {
			plain = out // memory to be used again
		}
	}
	return nil
}

func (r *run) anyLive(f pack.Frame) bool {
	for _, c := range f.Chunks {
		if r.live.chunks.has(c.ID) {
			return true
		}
	}
	return false
}
