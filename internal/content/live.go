package content

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// liveEntry is the length of the entries of a Live source: short enough that a
// few changed bytes do not make much else be written.
const liveEntry = 256 << 10

// Live is a disk that is read as it is needed.
type Live struct {
	regions []image.Region
	used    []extent.List
	windows []block.Reader
}

var _ Source = (*Live)(nil)

// NewLive returns the content of a disk: for each region its used bytes and
// where they are read.
func NewLive(regions []image.Region, used []extent.List, windows []block.Reader) *Live {
	return &Live{regions, used, windows}
}

// Regions implements Source.
func (l *Live) Regions() []image.Region { return l.regions }

// Hash implements Source; no entry has an ID.
func (l *Live) Hash() chunk.Hash { return chunk.DefaultHash }

// Pieces implements Source.
func (l *Live) Pieces(_ context.Context, region int, yield func(Piece) error) error {
	var entries []image.Entry
	size := l.regions[region].Size
	used := l.used[region]
	for from := int64(0); from < size; from += image.PieceSpan {
		to := min(from+image.PieceSpan, size)
		entries = entries[:0]
		for len(used) > 0 && used[0].Start < to {
			for at := max(used[0].Start, from); at < min(used[0].End(), to); at += liveEntry {
				n := min(liveEntry, used[0].End()-at, to-at)
				entries = append(entries, image.Entry{Offset: at, Length: n})
			}
			if used[0].End() > to {
				break
			}
			used = used[1:]
		}
		if err := pieces(region, from, to, entries, l.regions[region].Rest, yield); err != nil {
			return err
		}
	}
	return nil
}

// Fetcher implements Source.
func (l *Live) Fetcher() (Fetcher, error) { return liveFetcher{l}, nil }

type liveFetcher struct{ of *Live }

func (f liveFetcher) Fetch(_ context.Context, region int, e image.Entry, dst []byte) error {
	if err := block.ReadFull(f.of.windows[region], dst, e.Offset); err != nil {
		r := f.of.regions[region]
		return fmt.Errorf("%s: read the source at %#x: %w", r.Title(), r.Start+e.Offset, err)
	}
	return nil
}

func (f liveFetcher) Close() {}
