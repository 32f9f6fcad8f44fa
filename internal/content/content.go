// Package content is what a deploy puts on a disk and a comparison expects
// there: the regions of an image in a store (Stored), or of another disk (Live).
//
// It owns how regions are handed out in pieces of bounded size, in disk order,
// and how a piece's bytes are fetched. Bytes that have an ID are checked against
// it before they are returned. It writes nothing.
package content

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Piece is a stretch of a region: what must be there, and implicitly, between
// the entries, what is free.
type Piece struct {
	Region  int           // index into Regions
	Span    extent.Extent // relative to the region; about taskSpan, never across a multiple of image.PieceSpan
	Entries []image.Entry // ascending, inside Span, joined nowhere; entries without an ID are compared by their bytes
}

// Data is the number of bytes that must be there.
func (p Piece) Data() int64 {
	var n int64
	for _, e := range p.Entries {
		n += e.Length
	}
	return n
}

// Source is something whose content can be put on a disk. Its methods but
// Pieces may be called by several goroutines.
type Source interface {
	// Regions are those of the image, ascending. A Source that reads a live disk
	// leaves their maps and counts empty.
	Regions() []image.Region

	// Hash is the function of the entries' IDs.
	Hash() chunk.Hash

	// Pieces calls yield for the pieces of a region in ascending order. They
	// cover the region without gap or overlap.
	Pieces(ctx context.Context, region int, yield func(Piece) error) error

	// Fetcher returns what one goroutine gets bytes by; it must be closed.
	Fetcher() (Fetcher, error)
}

// Fetcher gets the bytes of entries that are not Zero.
type Fetcher interface {
	// Fetch fills dst, which has e's length, with the bytes of entry e of a region.
	Fetch(ctx context.Context, region int, e image.Entry, dst []byte) error
	Close()
}

// aheadFetcher is implemented by a Fetcher that gets many entries for less than one
// by one.
type aheadFetcher interface {
	ahead(ctx context.Context, region int, entries []image.Entry) error
}

// FetchAhead says which entries of a region are going to be fetched next, in this
// order, so that they come in few requests where a store is far away. It waits for
// them.
func FetchAhead(ctx context.Context, f Fetcher, region int, entries []image.Entry) error {
	if a, ok := f.(aheadFetcher); ok {
		return a.ahead(ctx, region, entries)
	}
	return nil
}

// Known reports whether e's ID says what its bytes are.
func Known(e image.Entry) bool { return e.ID != chunk.ID{} }

// taskSpan is how much is worked on at a time, a few large requests to a disk.
// Every processor has two buffers for it.
const taskSpan = 4 << 20

// spanEnd returns where a piece that begins at at ends: behind about taskSpan, at
// a border no chunk crosses, or at to.
func spanEnd(at, to int64, entries []image.Entry) int64 {
	end := min(at+taskSpan, at-at%image.PieceSpan+image.PieceSpan, to)
	for _, e := range entries {
		if e.Offset >= end {
			break
		}
		if !e.Zero {
			end = max(end, e.Offset+e.Length)
		}
	}
	return end
}

// Buffer returns memory for the bytes of p's span: old where it is large enough.
func (p Piece) Buffer(old []byte) []byte {
	const unit = 1 << 20 // so that spans of nearly one size need no new memory
	if int64(len(old)) >= p.Span.Length {
		return old
	}
	return block.AlignedBuffer(int((p.Span.Length + unit - 1) &^ (unit - 1)))
}

// pieces cuts what lies in [from, to) of a region into Pieces. entries must be
// sorted and inside; with rest Zeros, what they leave out becomes zero entries.
func pieces(region int, from, to int64, entries []image.Entry, rest image.Rest, yield func(Piece) error) error {
	for at := from; at < to; {
		span := extent.Extent{Start: at, Length: spanEnd(at, to, entries) - at}
		p := Piece{Region: region, Span: span}
		end := at
		zero := func(until int64) {
			if rest == image.Zeros && until > end {
				p.Entries = append(p.Entries, image.Entry{Offset: end, Length: until - end, Zero: true})
			}
		}
		for len(entries) > 0 && entries[0].Offset < span.End() {
			e := entries[0]
			zero(e.Offset)
			if e.Offset+e.Length > span.End() {
				// Only zeros reach over a border.
				entries[0].Offset, entries[0].Length = span.End(), e.Offset+e.Length-span.End()
				e.Length = span.End() - e.Offset
			} else {
				entries = entries[1:]
			}
			p.Entries = append(p.Entries, e)
			end = e.Offset + e.Length
		}
		zero(span.End())
		if err := yield(p); err != nil {
			return err
		}
		at = span.End()
	}
	return nil
}
