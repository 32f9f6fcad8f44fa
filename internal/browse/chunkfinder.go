package browse

import (
	"context"
	"slices"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
)

// stretch is what a map says of the bytes of a file from some place on: they are
// zeros, or a part of a chunk.
type stretch struct {
	length int64
	zero   bool
	chunk  image.Entry
	inside int64 // where in the chunk
}

// whole reports whether s is all of its chunk, given that only n bytes of it count.
func (s stretch) whole(n int64) bool { return !s.zero && s.inside == 0 && n == s.chunk.Length }

// mapped is a Source that can tell what its maps say of any place.
type mapped interface {
	Segment(ctx context.Context, region int, at int64) (*image.Segment, error)
}

// chunkFinder finds the chunks of one region. It keeps the segments of the map that
// were asked for last, 128 MiB of contents each: names that are close lie close.
type chunkFinder struct {
	source content.RandomSource
	region int
	kept   []*image.Segment // the last one first
}

const keptSegments = 16

func (f *chunkFinder) segment(ctx context.Context, at int64) (*image.Segment, error) {
	start := at / image.SegmentSpan * image.SegmentSpan
	if i := slices.IndexFunc(f.kept, func(s *image.Segment) bool { return s.Start == start }); i >= 0 {
		s := f.kept[i]
		copy(f.kept[1:], f.kept[:i])
		f.kept[0] = s
		return s, nil
	}
	m, ok := f.source.(mapped)
	if !ok {
		return &image.Segment{Start: start}, nil
	}
	s, err := m.Segment(ctx, f.region, at)
	if err == nil {
		f.kept = slices.Insert(f.kept[:min(len(f.kept), keptSegments-1)], 0, s)
	}
	return s, err
}

// stretch tells what lies at an offset of a file.
func (f *chunkFinder) stretch(ctx context.Context, file listedFile, off int64) (stretch, error) {
	at, length, hole := file.place(off)
	if hole {
		return stretch{length: length, zero: true}, nil
	}
	s, err := f.segment(ctx, at)
	if err != nil {
		return stretch{}, err
	}
	length = min(length, s.Start+image.SegmentSpan-at)
	i, _ := slices.BinarySearchFunc(s.Entries, at, func(e image.Entry, at int64) int {
		if e.Offset+e.Length <= at {
			return -1
		}
		return 1
	})
	switch {
	case i == len(s.Entries):
		return stretch{length: length, zero: true}, nil
	case s.Entries[i].Offset > at:
		return stretch{length: min(length, s.Entries[i].Offset-at), zero: true}, nil
	}
	e := s.Entries[i]
	return stretch{min(length, e.Offset+e.Length-at), e.Zero, e, at - e.Offset}, nil
}

// chunksOf finds the chunks of a partition that was captured file by file.
func (i *Image) chunksOf(n int) chunkFinder {
	return chunkFinder{source: i.source, region: i.region(n, image.Contents)}
}
