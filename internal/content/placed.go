package content

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Placed is a Source with some of the regions of another, at other places.
type Placed struct {
	of      Source
	regions []image.Region
	from    []int
}

var _ Source = (*Placed)(nil)

// NewPlaced returns regions, of which number i has the content of region from[i]
// of src. A region may have another size than that; content behind its end is
// found out and refused when it is to be written.
func NewPlaced(src Source, regions []image.Region, from []int) *Placed {
	return &Placed{src, regions, from}
}

// Regions implements Source.
func (p *Placed) Regions() []image.Region { return p.regions }

// Hash implements Source.
func (p *Placed) Hash() chunk.Hash { return p.of.Hash() }

// Pieces implements Source.
func (p *Placed) Pieces(ctx context.Context, region int, yield func(Piece) error) error {
	return p.of.Pieces(ctx, p.from[region], func(piece Piece) error {
		piece.Region = region
		return yield(piece)
	})
}

// Fetcher implements Source.
func (p *Placed) Fetcher() (Fetcher, error) {
	f, err := p.of.Fetcher()
	return placedFetcher{p, f}, err
}

type placedFetcher struct {
	of *Placed
	Fetcher
}

func (f placedFetcher) Fetch(ctx context.Context, region int, e image.Entry, dst []byte) error {
	return f.Fetcher.Fetch(ctx, f.of.from[region], e, dst)
}

func (f placedFetcher) ahead(ctx context.Context, region int, entries []image.Entry) error {
	return FetchAhead(ctx, f.Fetcher, f.of.from[region], entries)
}
