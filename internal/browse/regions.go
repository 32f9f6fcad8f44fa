package browse

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/ingot-imaging/ingot/internal/image"
)

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
