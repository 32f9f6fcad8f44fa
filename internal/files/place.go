package files

import (
	"cmp"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// placeAll gives every file its place in the contents: where it begins on the
// disk, or behind the file before it when that reaches so far. So the contents
// are nearly what an image by blocks has, cut at nearly the same places, and a
// store keeps both once. Files that are nowhere on the disk come last.
func (w *walker) placeAll() {
	l := w.out.Listing
	l.order = l.stored()
	slices.SortStableFunc(l.order, func(a, b datum) int {
		return cmp.Compare(w.places[a.entry], w.places[b.entry])
	})
	for _, d := range l.order {
		data := l.data(d)
		data.At = l.Contents
		if place := w.places[d.entry] &^ (chunk.Grid - 1); d.stream < 0 && place > data.At && place < maxPlace {
			data.At = place
		}
		l.Contents = data.At + data.length()
	}
	l.Contents = max(l.Contents, chunk.Grid)
	w.places = nil
	if !w.opts.Live {
		w.out.stamps = nil
	}
}

// maxPlace is far behind the end of every disk.
const maxPlace = maxSize / 2
