package content

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Stored is an image in a store.
type Stored struct {
	store    *store.Store
	readers  *store.Readers
	manifest *image.Manifest
}

var _ Source = (*Stored)(nil)

// NewStored returns the content of an image.
func NewStored(s *store.Store, m *image.Manifest) *Stored { return &Stored{s, s.NewReaders(), m} }

// Regions implements Source.
func (s *Stored) Regions() []image.Region { return s.manifest.Regions }

// Hash implements Source.
func (s *Stored) Hash() chunk.Hash { return s.store.Hash() }

// Pieces implements Source. One segment of the map is in memory at a time.
func (s *Stored) Pieces(ctx context.Context, region int, yield func(Piece) error) error {
	r := &s.manifest.Regions[region]
	at := int64(0)
	for _, ref := range r.Map {
		if err := pieces(region, at, ref.Start, nil, r.Rest, yield); err != nil {
			return err
		}
		segment, err := Segment(ctx, s.store, r, ref)
		if err != nil {
			return err
		}
		at = min(ref.Start+image.SegmentSpan, r.Size)
		if err := pieces(region, ref.Start, at, segment.Entries, r.Rest, yield); err != nil {
			return err
		}
	}
	return pieces(region, at, r.Size, nil, r.Rest, yield)
}

// Segment reads and checks one segment of a region's map.
func Segment(ctx context.Context, s *store.Store, r *image.Region, ref image.SegmentRef) (*image.Segment, error) {
	data, err := s.Map(ctx, ref.ID)
	if err != nil {
		return nil, fmt.Errorf("map of %s at %#x: %w", r.Title(), ref.Start, err)
	}
	segment, err := image.ParseSegment(data, ref.Start, r.Size)
	if err != nil {
		return nil, fmt.Errorf("map %s of %s: %w", ref.ID.Short(), r.Title(), err)
	}
	return segment, nil
}

// Segment returns the segment of a region's map that covers offset at; it is empty
// where the map has none.
func (s *Stored) Segment(ctx context.Context, region int, at int64) (*image.Segment, error) {
	start := at / image.SegmentSpan * image.SegmentSpan
	r := &s.manifest.Regions[region]
	i, found := slices.BinarySearchFunc(r.Map, start, func(ref image.SegmentRef, at int64) int { return cmp.Compare(ref.Start, at) })
	if !found {
		return &image.Segment{Start: start}, nil
	}
	return Segment(ctx, s.store, r, r.Map[i])
}

// Fetcher implements Source.
func (s *Stored) Fetcher() (Fetcher, error) {
	r, err := s.readers.NewReader()
	if err != nil {
		return nil, err
	}
	return storedFetcher{s, r}, nil
}

type storedFetcher struct {
	of     *Stored
	reader *store.Reader
}

func (f storedFetcher) Fetch(ctx context.Context, region int, e image.Entry, dst []byte) error {
	if err := f.reader.Read(ctx, e.ID, e.At, dst); err != nil {
		return fmt.Errorf("%s at %#x: %w", f.of.manifest.Regions[region].Title(), e.Offset, err)
	}
	return nil
}

func (f storedFetcher) ahead(ctx context.Context, region int, entries []image.Entry) error {
	var places []pack.Location
	for _, e := range entries {
		if !e.Zero && Known(e) {
			places = append(places, e.At)
		}
	}
	if err := f.reader.Ahead(ctx, places); err != nil {
		return fmt.Errorf("%s: %w", f.of.manifest.Regions[region].Title(), err)
	}
	return nil
}

func (f storedFetcher) Close() { f.reader.Close() }
