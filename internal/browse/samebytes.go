package browse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// sameBytes compares the bytes of two regular files of one size. Where their chunks
// tell, nothing is read. quick takes them for the same when chunks do not tell.
func (c *comparison) sameBytes(ctx context.Context, t pairOf, name string, quick bool) (bool, error) {
	a, err := t.a.Open(name)
	if err != nil {
		return false, err
	}
	defer a.Close()
	b, err := t.b.Open(name)
	if err != nil {
		return false, err
	}
	defer b.Close()
	if a.Size() != b.Size() {
		return false, fmt.Errorf("/%s: its size is not that of its directory entry", Printable(name))
	}
	unknown := extent.Of(extent.Extent{Length: a.Size()})
	la, aListed := a.(listedFile)
	lb, bListed := b.(listedFile)
	if aListed && bListed {
		var differ bool
		if differ, unknown, err = c.byChunks(ctx, la, lb); differ || err != nil {
			return false, err
		}
	}
	if quick || len(unknown) == 0 {
		return true, nil
	}
	for _, e := range unknown {
		if same, err := sameRange(ctx, a, b, e); !same || err != nil {
			return false, err
		}
	}
	return true, nil
}

// compareStep is how much of two files is in memory at a time.
const compareStep = 1 << 20

func sameRange(ctx context.Context, a, b File, e extent.Extent) (bool, error) {
	bufA, bufB := make([]byte, min(compareStep, e.Length)), make([]byte, min(compareStep, e.Length))
	for at := e.Start; at < e.End(); at += compareStep {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n := min(compareStep, e.End()-at)
		if err := readFull(a, bufA[:n], at); err != nil {
			return false, err
		}
		if err := readFull(b, bufB[:n], at); err != nil {
			return false, err
		}
		if !bytes.Equal(bufA[:n], bufB[:n]) {
			return false, nil
		}
	}
	return true, nil
}

func readFull(f File, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

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

// byChunks compares the bytes of two files by the IDs of their chunks: a chunk that
// lies in both files at one place and is not the same proves that they differ.
// unknown is what may be the same or not: where chunks begin at other places.
func (c *comparison) byChunks(ctx context.Context, a, b listedFile) (differ bool, unknown extent.List, err error) {
	var left extent.Builder
	for at := int64(0); at < a.Size(); {
		x, err := c.chunks[0].stretch(ctx, a, at)
		if err != nil {
			return false, nil, err
		}
		y, err := c.chunks[1].stretch(ctx, b, at)
		if err != nil {
			return false, nil, err
		}
		n := min(x.length, y.length)
		switch {
		case x.zero && y.zero, !x.zero && !y.zero && x.chunk.ID == y.chunk.ID && x.inside == y.inside:
		case x.whole(n) && y.whole(n):
			return true, nil, nil
		default:
			left.Add(at, n)
		}
		at += n
	}
	return false, left.List(), nil
}

// mapped is a Source that can tell what its maps say of any place.
type mapped interface {
	Segment(ctx context.Context, region int, at int64) (*image.Segment, error)
}

// chunkFinder finds the chunks of one region. It keeps the segments of the map that
// were asked for last, 128 MiB of contents each: names that are close lie close.
type chunkFinder struct {
	source Source
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

// differentBytes counts the bytes of b's region in chunks that a's does not have at
// their place, and those of a's that b has nothing for.
func differentBytes(ctx context.Context, a *Image, ra int, b *Image, rb int) (int64, error) {
	if equalMaps(&a.manifest.Regions[ra], &b.manifest.Regions[rb]) {
		return 0, nil
	}
	nextA, stopA := iter.Pull2(a.chunks(ctx, ra))
	defer stopA()
	nextB, stopB := iter.Pull2(b.chunks(ctx, rb))
	defer stopB()
	var n int64
	x, errA, okA := nextA()
	y, errB, okB := nextB()
	for okA || okB {
		if err := errors.Join(errA, errB); err != nil {
			return n, err
		}
		takeA, takeB := okA && (!okB || x.Offset <= y.Offset), okB && (!okA || y.Offset <= x.Offset)
		switch {
		case takeA && takeB && (x.ID != y.ID || x.Length != y.Length):
			n += max(x.Length, y.Length)
		case takeA && !takeB:
			n += x.Length
		case takeB && !takeA:
			n += y.Length
		}
		if takeA {
			x, errA, okA = nextA()
		}
		if takeB {
			y, errB, okB = nextB()
		}
	}
	return n, nil
}

// chunks yields the chunks of a region, ascending; what is zeros or free is none.
func (i *Image) chunks(ctx context.Context, region int) iter.Seq2[image.Entry, error] {
	return func(yield func(image.Entry, error) bool) {
		m, ok := i.source.(mapped)
		if !ok {
			yield(image.Entry{}, fmt.Errorf("%s has no map", i.manifest.Regions[region].Title()))
			return
		}
		for _, ref := range i.manifest.Regions[region].Map {
			s, err := m.Segment(ctx, region, ref.Start)
			if err != nil {
				yield(image.Entry{}, err)
				return
			}
			for _, e := range s.Entries {
				if !e.Zero && !yield(e, nil) {
					return
				}
			}
		}
	}
}
