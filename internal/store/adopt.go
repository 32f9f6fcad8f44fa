package store

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// CondemnedError says that an object cannot be stored under the name that it must
// have, because a clean-up is about to delete the one of that name.
type CondemnedError struct{ Key string }

func (e *CondemnedError) Error() string {
	return e.Key + " is about to be deleted by a clean-up; let 'ingot gc' finish on this store, then try again"
}

// HasPack reports whether the store has the pack, in which case it stays while
// the session lives.
func (ses *Session) HasPack(id chunk.ID) bool { return ses.finder.has(id) }

// AddPack stores a pack as another store has it, and makes its chunks findable.
// data belongs to the session from then on. Sync tells whether it was stored.
func (ses *Session) AddPack(ctx context.Context, data []byte) error {
	if err := ses.err(); err != nil {
		return err
	}
	frames, err := pack.Parse(data)
	if err != nil {
		return fmt.Errorf("add pack: %w", err)
	}
	return ses.handOver(ctx, &openPack{whole: data, frames: frames})
}

// handOver gives a pack to the uploader.
func (ses *Session) handOver(ctx context.Context, p *openPack) error {
	select {
	case ses.uploads <- p:
		return nil
	case <-ses.done:
		return ses.err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// AddMap stores a map as another store has it, under the same name. The error is
// a *CondemnedError when that name is not to be had.
func (ses *Session) AddMap(ctx context.Context, data []byte) (chunk.ID, error) {
	if err := ses.err(); err != nil {
		return chunk.ID{}, err
	}
	if key := prefixMaps + ses.store.Hash().Sum(data).String(); ses.condemned[key] {
		return chunk.ID{}, &CondemnedError{key}
	}
	return putNamed(ctx, ses.store.backend, ses.store.Hash(), prefixMaps, data)
}
