package content

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Packs returns the packs in which a reader finds the chunks of an image, sorted:
// those that its maps name, and for what was moved since, those the index names.
// bad is called for a map that cannot be read and a *store.ChunkError for each
// chunk that lies nowhere; the error it returns ends the search.
func Packs(ctx context.Context, s *store.Store, m *image.Manifest, bad func(error) error) ([]chunk.ID, error) {
	locator, _, err := s.NewLocator(ctx, nil)
	if err != nil {
		return nil, err
	}
	packs := map[chunk.ID]bool{}
	for i := range m.Regions {
		r := &m.Regions[i]
		for _, ref := range r.Map {
			segment, err := Segment(ctx, s, r, ref)
			if err == nil {
				err = addPacks(packs, locator, r, segment, bad)
			} else {
				err = bad(err)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return slices.SortedFunc(maps.Keys(packs), func(a, b chunk.ID) int { return slices.Compare(a[:], b[:]) }), nil
}

func addPacks(packs map[chunk.ID]bool, locator *store.Locator, r *image.Region, segment *image.Segment, bad func(error) error) error {
	for _, e := range segment.Entries {
		if e.Zero || packs[e.At.Pack] {
			continue
		}
		if locator.Has(e.At.Pack) {
			packs[e.At.Pack] = true
			continue
		}
		at, ok, err := locator.Find(e.ID)
		if err == nil && !ok {
			err = bad(&store.ChunkError{ID: e.ID, Err: fmt.Errorf("%s at %#x: pack %s that held it is gone, and no other has it", r.Title(), e.Offset, e.At.Pack.Short())})
		}
		if err != nil {
			return err
		}
		if ok {
			packs[at.Pack] = true
		}
	}
	return nil
}
