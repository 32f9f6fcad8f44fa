package files

import (
	"context"
	"fmt"
	"io"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Volume is a volume of an image that was captured file by file.
type Volume struct {
	Listing *Listing

	source content.Source
	region int // of the contents
}

// Open reads the listing of a partition's volume; 0 is the image's one volume.
func Open(ctx context.Context, src content.Source, partition int) (*Volume, error) {
	listing, contents := -1, -1
	for i, r := range src.Regions() {
		switch {
		case r.Partition != partition:
		case r.Role == image.Listing:
			listing = i
		case r.Role == image.Contents:
			contents = i
		}
	}
	if listing < 0 || contents < 0 {
		return nil, fmt.Errorf("partition %d was not captured file by file", partition)
	}
	r, stop := readRegion(ctx, src, listing)
	defer stop()
	l, err := Parse(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Regions()[listing].Title(), err)
	}
	if size := src.Regions()[contents].Size; l.Contents != size {
		return nil, fmt.Errorf("%s is for %d bytes of contents, and there are %d", src.Regions()[listing].Title(), l.Contents, size)
	}
	return &Volume{l, src, contents}, nil
}

// readRegion returns the bytes of a region, front to back. stop must be called.
func readRegion(ctx context.Context, src content.Source, region int) (r io.Reader, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(copyRegion(ctx, src, region, pw)) }()
	return pr, func() {
		cancel()
		pr.Close()
	}
}

func copyRegion(ctx context.Context, src content.Source, region int, w io.Writer) error {
	fetcher, err := src.Fetcher()
	if err != nil {
		return err
	}
	defer fetcher.Close()
	var buf []byte
	return src.Pieces(ctx, region, func(p content.Piece) error {
		buf = p.Buffer(buf)
		if err := fetch(ctx, fetcher, p, buf, extent.List{p.Span}); err != nil {
			return err
		}
		_, err := w.Write(buf[:p.Span.Length])
		return err
	})
}

// fetch fills buf with the bytes of a piece, as far as wanted says: entries that
// have nothing of it are not looked at. Ranges without an entry are zeros.
func fetch(ctx context.Context, f content.Fetcher, p content.Piece, buf []byte, wanted extent.List) error {
	clear(buf[:p.Span.Length])
	var lacking []image.Entry
	for _, e := range p.Entries {
		if !e.Zero && len(wanted.Clip(extent.Extent{Start: e.Offset, Length: e.Length})) > 0 {
			lacking = append(lacking, e)
		}
	}
	if err := content.FetchAhead(ctx, f, p.Region, lacking); err != nil {
		return err
	}
	for _, e := range lacking {
		at := e.Offset - p.Span.Start
		if err := f.Fetch(ctx, p.Region, e, buf[at:at+e.Length]); err != nil {
			return err
		}
	}
	return nil
}

// eachPiece hands out the contents in pieces, in order, to a few workers.
func (v *Volume) eachPiece(ctx context.Context, newWorker func() pieceWorker) error {
	place := content.Place{Region: v.region, Size: v.Listing.Contents}
	return content.Each(ctx, v.source, []content.Place{place}, func(f content.Fetcher) content.Worker {
		work := newWorker()
		var buf []byte
		return func(ctx context.Context, t content.Task) error {
			data := v.Listing.inside(t.Piece.Span)
			if len(data) == 0 {
				return nil
			}
			buf = t.Piece.Buffer(buf)
			if err := fetch(ctx, f, t.Piece, buf, v.Listing.extentsOf(data)); err != nil {
				return err
			}
			return work(ctx, piece{t.Piece.Span, buf[:t.Piece.Span.Length], zerosOf(t.Piece), data})
		}
	})
}

// piece is a stretch of the contents with its bytes.
type piece struct {
	span  extent.Extent
	bytes []byte
	zeros extent.List // of span: known to be zeros
	data  []datum     // what lies in it, at least in part
}

type pieceWorker func(ctx context.Context, p piece) error

// extentsOf are the bytes of the contents that some data take.
func (l *Listing) extentsOf(data []datum) extent.List {
	var b extent.Builder
	for _, d := range data {
		b.Add(l.data(d).At, l.data(d).length())
	}
	return b.List()
}

func zerosOf(p content.Piece) extent.List {
	var b extent.Builder
	for _, e := range p.Entries {
		if e.Zero {
			b.Add(e.Offset, e.Length)
		}
	}
	return b.List()
}
