package content

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Layer is a region under a copy-on-write layer: what was written, elsewhere what
// the region holds, and zeros behind the region's end.
type Layer interface {
	block.Reader
	// Dirty is what was written, relative to the region.
	Dirty() extent.List
}

// Change is what became of a region.
type Change struct {
	Layer Layer
	Used  extent.List // what the volume in the layer uses
	Size  int64       // of the region now, bytes; the layer has at least as many
}

// Patched is a Source of which some regions were changed. Chunks in which nothing
// was written keep their IDs, so that they are checked, and left alone where a
// target has them; all else that is used comes out of the layers.
type Patched struct {
	base    Source
	regions []image.Region
	changes map[int]Change
}

var _ Source = (*Patched)(nil)

// NewPatched returns base with changes to the regions of the given numbers. The
// layers must not change any more.
func NewPatched(base Source, changes map[int]Change) *Patched {
	p := &Patched{base, slices.Clone(base.Regions()), changes}
	for i, c := range changes {
		r := &p.regions[i]
		used := p.used(i, c)
		r.Size, r.Data, r.End, r.Map = c.Size, used.Bytes(), used.End(), nil
		r.Zero = min(r.Zero, r.Data)
		if r.Volume != nil {
			v := *r.Volume
			v.Size = c.Size
			r.Volume = &v
		}
	}
	return p
}

// used is what must be there of a changed region: all of it where every byte
// counts.
func (p *Patched) used(region int, c Change) extent.List {
	all := extent.Extent{Length: c.Size}
	if p.regions[region].Rest == image.Zeros {
		return extent.Of(all)
	}
	return c.Used.Clip(all)
}

// Regions implements Source. Of a changed region Zero is what it was at most.
func (p *Patched) Regions() []image.Region { return p.regions }

// Hash implements Source.
func (p *Patched) Hash() chunk.Hash { return p.base.Hash() }

// errPast ends the pieces of a region that was cut.
var errPast = errors.New("behind the region's new end")

// Pieces implements Source. Where base has the region, the pieces are base's.
func (p *Patched) Pieces(ctx context.Context, region int, yield func(Piece) error) error {
	c, ok := p.changes[region]
	if !ok {
		return p.base.Pieces(ctx, region, yield)
	}
	patch := patch{used: p.used(region, c), dirty: c.Layer.Dirty(), size: c.Size, had: p.base.Regions()[region].Size}
	err := p.base.Pieces(ctx, region, func(piece Piece) error {
		if piece.Span.Start >= c.Size {
			return errPast
		}
		return yield(patch.apply(piece))
	})
	if err != nil && !errors.Is(err, errPast) {
		return err
	}
	for at := patch.had; at < c.Size; {
		span := extent.Extent{Start: at, Length: spanEnd(at, c.Size, nil) - at}
		if err := yield(patch.apply(Piece{Region: region, Span: span})); err != nil {
			return err
		}
		at = span.End()
	}
	return nil
}

// patch is what was done to a region.
type patch struct {
	used, dirty extent.List
	size, had   int64 // bytes of the region, now and in the base
}

// apply returns what became of a piece of the base.
func (p patch) apply(piece Piece) Piece {
	piece.Span = piece.Span.Intersect(extent.Extent{Length: p.size})
	used, dirty := p.used.Clip(piece.Span), p.dirty.Clip(piece.Span)
	var entries []image.Entry
	var kept extent.Builder
	for _, e := range piece.Entries {
		at := extent.Extent{Start: e.Offset, Length: e.Length}
		switch {
		case e.Zero:
			for _, x := range used.Clip(at).Subtract(dirty) {
				entries = append(entries, image.Entry{Offset: x.Start, Length: x.Length, Zero: true})
				kept.Add(x.Start, x.Length)
			}
		case at.End() <= p.size && len(dirty.Clip(at)) == 0 && len(used.Clip(at)) > 0:
			entries = append(entries, e)
			kept.Add(e.Offset, e.Length)
		}
	}
	entries = p.fill(entries, used.Subtract(kept.List()), dirty)
	slices.SortFunc(entries, func(a, b image.Entry) int { return int(max(-1, min(1, a.Offset-b.Offset))) })
	piece.Entries = entries
	return piece
}

// fill adds entries for what no entry of the base is kept for. What lies behind
// the base's end and was not written is zeros: a volume that grew uses such bytes.
func (p patch) fill(entries []image.Entry, missing, dirty extent.List) []image.Entry {
	zeros := missing.Subtract(dirty).Subtract(extent.Of(extent.Extent{Length: p.had}))
	for _, x := range zeros {
		entries = append(entries, image.Entry{Offset: x.Start, Length: x.Length, Zero: true})
	}
	for _, x := range missing.Subtract(zeros) {
		for at := x.Start; at < x.End(); {
			end := min(at-at%liveEntry+liveEntry, x.End())
			entries = append(entries, image.Entry{Offset: at, Length: end - at})
			at = end
		}
	}
	return entries
}

// Fetcher implements Source.
func (p *Patched) Fetcher() (Fetcher, error) {
	f, err := p.base.Fetcher()
	return patchedFetcher{p, f}, err
}

type patchedFetcher struct {
	of *Patched
	Fetcher
}

func (f patchedFetcher) Fetch(ctx context.Context, region int, e image.Entry, dst []byte) error {
	c, ok := f.of.changes[region]
	if !ok || Known(e) {
		return f.Fetcher.Fetch(ctx, region, e, dst)
	}
	if err := block.ReadFull(c.Layer, dst, e.Offset); err != nil {
		r := f.of.regions[region]
		return fmt.Errorf("%s: read what was changed at %#x: %w", r.Title(), e.Offset, err)
	}
	return nil
}

func (f patchedFetcher) ahead(ctx context.Context, region int, entries []image.Entry) error {
	return FetchAhead(ctx, f.Fetcher, region, entries)
}
