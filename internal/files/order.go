package files

import (
	"cmp"
	"slices"
	"sort"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// place finds what lies where in the contents, and refuses files that share bytes
// or reach behind the end: what is written can be no more than what is there.
func (l *Listing) place() error {
	l.order = l.stored()
	slices.SortFunc(l.order, func(a, b datum) int { return cmp.Compare(l.data(a).At, l.data(b).At) })
	end := int64(0)
	for _, d := range l.order {
		data := l.data(d)
		if data.At < end || data.length() > l.Contents-data.At {
			return &FormatError{int64(d.entry), "its bytes are those of another file, or behind the end of the contents"}
		}
		end = data.At + data.length()
	}
	return nil
}

// stored are the files and streams that have bytes in the contents.
func (l *Listing) stored() []datum {
	var all []datum
	for i := range l.Entries {
		e := &l.Entries[i]
		if e.Type == File && e.length() > 0 {
			all = append(all, datum{int32(i), -1})
		}
		if e.More == nil {
			continue
		}
		for j := range e.More.Streams {
			if e.More.Streams[j].length() > 0 {
				all = append(all, datum{int32(i), int32(j)})
			}
		}
	}
	return all
}

// part is a stretch of the contents that is a stretch of a file.
type part struct {
	datum
	at     int64         // in the contents
	inFile extent.Extent // without the padding behind it
}

// inside returns the data that has bytes in a stretch of the contents.
func (l *Listing) inside(span extent.Extent) []datum {
	first := sort.Search(len(l.order), func(i int) bool {
		d := l.data(l.order[i])
		return d.At+d.length() > span.Start
	})
	n := sort.Search(len(l.order)-first, func(i int) bool { return l.data(l.order[first+i]).At >= span.End() })
	return l.order[first : first+n]
}

// parts appends what of d lies in a stretch of the contents.
func (l *Listing) parts(to []part, d datum, span extent.Extent) []part {
	data := l.data(d)
	at, whole := data.At, [1]extent.Extent{{Length: data.Size}}
	list := whole[:]
	if data.Sparse {
		list = data.Stored
	}
	for _, e := range list {
		in := extent.Extent{Start: at, Length: e.Length}.Intersect(span)
		if in.Length > 0 {
			to = append(to, part{d, in.Start, extent.Extent{Start: e.Start + in.Start - at, Length: in.Length}})
		}
		if at += onGrid(e.Length); at >= span.End() {
			break
		}
	}
	return to
}
