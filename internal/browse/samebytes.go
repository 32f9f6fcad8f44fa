package browse

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ingot-imaging/ingot/internal/extent"
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
