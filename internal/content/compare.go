package content

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Compare calls differ for every entry that disk does not hold as the source
// says, from several goroutines at once, and done for every piece when it was
// looked at. It returns the first error of reading, or of differ.
func Compare(ctx context.Context, src Source, places []Place, disk block.Reader, done func(Task), differ func(t Task, e image.Entry) error) error {
	return Each(ctx, src, places, func(f Fetcher) Worker {
		h := NewHolding(src, f)
		return func(ctx context.Context, t Task) error {
			if err := h.Read(disk, places[t.Place].At, t.Piece); err != nil {
				return err
			}
			for _, e := range t.Piece.Entries {
				same, err := h.Same(ctx, e)
				if err == nil && !same {
					err = differ(t, e)
				}
				if err != nil {
					return err
				}
			}
			done(t)
			return nil
		}
	})
}

// Holding is what a disk holds where a piece belongs. It belongs to one goroutine.
type Holding struct {
	hash    chunk.Hash
	fetcher Fetcher
	piece   Piece
	bytes   []byte // at the offsets of the piece's span
	scratch []byte
}

// NewHolding returns an empty Holding; fetcher gets the bytes of entries that have no ID.
func NewHolding(src Source, fetcher Fetcher) *Holding {
	return &Holding{hash: src.Hash(), fetcher: fetcher}
}

// Read reads from disk where p has entries; the piece's region lies at the given
// offset.
func (h *Holding) Read(disk block.Reader, at int64, p Piece) error {
	h.piece, h.bytes = p, p.Buffer(h.bytes)
	var wanted extent.Builder
	for _, e := range p.Entries {
		wanted.Add(e.Offset-p.Span.Start, e.Length)
	}
	for _, run := range wanted.List() {
		if err := block.ReadFull(disk, h.bytes[run.Start:run.End()], at+p.Span.Start+run.Start); err != nil {
			return fmt.Errorf("look what the disk holds: %w", err)
		}
	}
	return nil
}

// Bytes returns what the disk holds in place of e, an entry of the piece read last.
func (h *Holding) Bytes(e image.Entry) []byte {
	off := e.Offset - h.piece.Span.Start
	return h.bytes[off : off+e.Length]
}

// Same reports whether the disk holds e. Entries without an ID are fetched.
func (h *Holding) Same(ctx context.Context, e image.Entry) (bool, error) {
	have := h.Bytes(e)
	switch {
	case e.Zero:
		return allZero(have), nil
	case Known(e):
		return h.hash.Sum(have) == e.ID, nil
	}
	if len(h.scratch) < len(have) {
		h.scratch = make([]byte, len(have))
	}
	want := h.scratch[:len(have)]
	if err := h.fetcher.Fetch(ctx, h.piece.Region, e, want); err != nil {
		return false, err
	}
	return bytes.Equal(have, want), nil
}

func allZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}
