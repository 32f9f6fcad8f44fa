package gc

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// live is what names lead to. It only grows: an image that loses its name while
// the clean-up runs is the next one's work.
type live struct {
	store     *store.Store
	manifests map[chunk.ID]bool
	maps      map[chunk.ID]bool
	packs     map[chunk.ID]bool // that a map names; it may be out of date
	chunks    *filter
}

// newLive is empty; records is about how many different chunks the store has.
func newLive(s *store.Store, records int64) *live {
	return &live{s, map[chunk.ID]bool{}, map[chunk.ID]bool{}, map[chunk.ID]bool{}, newFilter(records)}
}

// mark lists the names and adds what those that are new lead to. Whatever is not
// in l afterwards, no name led to that was there from before the call on. The
// error is an *UnreadableError when a name leads to what cannot be read.
func (l *live) mark(ctx context.Context) error {
	var bad []error
	images := map[chunk.ID]store.Name{}
	err := l.store.Names(ctx, func(n store.Name, damage error) error {
		if damage != nil {
			bad = append(bad, fmt.Errorf("name %s: %w", n, damage))
			return nil
		}
		if !l.manifests[n.Image] {
			images[n.Image] = n
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, name := range images {
		more, err := l.add(ctx, id)
		if err != nil {
			return fmt.Errorf("image %s: %w", name, err)
		}
		for _, err := range more {
			bad = append(bad, fmt.Errorf("image %s: %w", name, err))
		}
	}
	if len(bad) > 0 {
		return &UnreadableError{bad}
	}
	return nil
}

// add marks one image. What of it is damaged or missing it returns in bad.
func (l *live) add(ctx context.Context, id chunk.ID) (bad []error, err error) {
	m, err := catalog.Manifest(ctx, l.store, id)
	if err != nil {
		return damage(err)
	}
	for i := range m.Regions {
		for _, ref := range m.Regions[i].Map {
			more, err := l.addMap(ctx, &m.Regions[i], ref)
			if err != nil {
				return nil, err
			}
			bad = append(bad, more...)
		}
	}
	l.manifests[id] = true
	return bad, nil
}

func (l *live) addMap(ctx context.Context, region *image.Region, ref image.SegmentRef) (bad []error, err error) {
	if l.maps[ref.ID] {
		return nil, nil
	}
	segment, err := content.Segment(ctx, l.store, region, ref)
	if err != nil {
		return damage(err)
	}
	for _, e := range segment.Entries {
		if e.Zero {
			continue
		}
		l.chunks.add(e.ID)
		l.packs[e.At.Pack] = true
	}
	l.maps[ref.ID] = true
	return nil, nil
}

// damage tells an object that is damaged or missing from an error that says
// nothing of the store, such as an interruption.
func damage(err error) (bad []error, other error) {
	var integrity *store.IntegrityError
	if errors.As(err, &integrity) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrShort) {
		return []error{err}, nil
	}
	return nil, err
}
