package store

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Locator answers where chunks lie, as of when it was made.
type Locator struct{ finder *finder }

// NewLocator returns a Locator over all packs but those for which skip, which
// may be nil, says true. damaged are the index objects that could not be used.
func (s *Store) NewLocator(ctx context.Context, skip func(chunk.ID) bool) (l *Locator, damaged []error, err error) {
	if skip == nil {
		skip = func(chunk.ID) bool { return false }
	}
	f, damaged, err := s.newFinder(ctx, skip)
	return &Locator{f}, damaged, err
}

// Find returns a place of the chunk in a pack that is there, other than those in not.
func (l *Locator) Find(id chunk.ID, not ...chunk.ID) (pack.Location, bool, error) {
	return l.finder.find(id, not...)
}

// Has reports whether the pack is there.
func (l *Locator) Has(id chunk.ID) bool { return l.finder.has(id) }

// Without is a Locator of the same time that passes over more packs.
func (l *Locator) Without(skip func(chunk.ID) bool) *Locator {
	f := &finder{store: l.finder.store, files: l.finder.files, packs: l.finder.packs.without(skip)}
	f.pages.New = l.finder.pages.New
	return &Locator{f}
}

// Records is the number of records in the indexes: at least the number of
// different chunks in indexed packs.
func (l *Locator) Records() int64 {
	var n int64
	for _, f := range l.finder.files {
		n += int64(len(f.fences)) * recordsPerPage
	}
	return n
}

// Each calls yield for every indexed chunk in ascending order, with its places
// in packs that are there. places is valid until yield returns. A damaged page
// is an *IntegrityError; an index that was merged into another one since the
// Locator was made is ErrNotFound.
func (l *Locator) Each(ctx context.Context, yield func(id chunk.ID, places []pack.Location) error) error {
	h, err := openCursors(l.finder.files)
	if err != nil {
		return err
	}
	var id chunk.ID
	var last indexEntry
	var places []pack.Location
	for len(h) > 0 {
		e := h[0].entry()
		if e.id != id {
			if err := yieldPlaces(ctx, id, places, yield); err != nil {
				return err
			}
			id, places = e.id, places[:0]
		}
		if e != last {
			places = l.appendPlaces(places, e)
		}
		last = e
		if err := h.advance(); err != nil {
			return err
		}
	}
	return yieldPlaces(ctx, id, places, yield)
}

func yieldPlaces(ctx context.Context, id chunk.ID, places []pack.Location, yield func(chunk.ID, []pack.Location) error) error {
	if len(places) == 0 {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return yield(id, places)
}

func (l *Locator) appendPlaces(places []pack.Location, e indexEntry) []pack.Location {
	for _, p := range l.finder.packs.holders(e.pack) {
		if p.mayHold(e.loc) {
			e.loc.Pack = p.id
			places = append(places, e.loc)
		}
	}
	return places
}
