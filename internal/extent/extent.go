// Package extent does arithmetic on sets of byte ranges: used maps, free
// space, gaps between partitions.
//
// It owns the canonical form (List) and the set operations on it. It knows
// nothing of disks and does no I/O. All offsets and lengths are bytes, never
// negative. Callers that collect ranges start with Builder; callers that hold a
// canonical List use its methods.
package extent

import (
	"cmp"
	"fmt"
	"slices"
)

// Extent is the half-open byte range [Start, Start+Length).
type Extent struct {
	Start  int64 `json:"start"`
	Length int64 `json:"length"`
}

// End is the offset of the first byte behind e.
func (e Extent) End() int64 { return e.Start + e.Length }

// Intersect returns what e and o share; Length is 0 when they share nothing.
func (e Extent) Intersect(o Extent) Extent {
	start, end := max(e.Start, o.Start), min(e.End(), o.End())
	if end <= start {
		return Extent{}
	}
	return Extent{start, end - start}
}

func (e Extent) String() string { return fmt.Sprintf("[%#x,%#x)", e.Start, e.End()) }

// List is a set of bytes in canonical form: extents ascend, none is empty, and
// no two overlap or touch. The zero value is the empty set.
type List []Extent

// Of returns the canonical list of the given extents, which may be in any
// order, overlap and be empty.
func Of(extents ...Extent) List {
	s := slices.Clone(extents)
	slices.SortFunc(s, func(a, b Extent) int { return cmp.Compare(a.Start, b.Start) })
	var l List
	for _, e := range s {
		l = l.append(e)
	}
	return l
}

// append adds e, which starts at or behind the start of l's last extent.
func (l List) append(e Extent) List {
	if e.Length <= 0 {
		return l
	}
	if n := len(l); n > 0 && e.Start <= l[n-1].End() {
		l[n-1].Length = max(l[n-1].End(), e.End()) - l[n-1].Start
		return l
	}
	return append(l, e)
}

// Valid reports the first breach of canonical form, or of the bounds [0, size).
func (l List) Valid(size int64) error {
	end := int64(-1)
	for i, e := range l {
		if e.Start < 0 || e.Length <= 0 || e.Length > size-e.Start {
			return fmt.Errorf("extent %d of %d, start %#x length %#x: outside 0..%#x", i, len(l), e.Start, e.Length, size)
		}
		if e.Start <= end {
			return fmt.Errorf("extent %d of %d, %v: overlaps or touches the one before, which ends at %#x", i, len(l), e, end)
		}
		end = e.End()
	}
	return nil
}

// Bytes is the number of bytes in the set.
func (l List) Bytes() int64 {
	var n int64
	for _, e := range l {
		n += e.Length
	}
	return n
}

// End is the offset behind the last byte of the set, 0 when it is empty.
func (l List) End() int64 {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1].End()
}

// Complement returns the bytes of [0, size) that are not in l.
func (l List) Complement(size int64) List {
	var out List
	at := int64(0)
	for _, e := range l {
		if e.Start >= size {
			break
		}
		out = out.append(Extent{at, e.Start - at})
		at = e.End()
	}
	return out.append(Extent{at, size - at})
}

// Union returns the bytes that are in l or in o.
func (l List) Union(o List) List {
	out := make(List, 0, len(l)+len(o))
	for len(l) > 0 || len(o) > 0 {
		if len(o) == 0 || len(l) > 0 && l[0].Start <= o[0].Start {
			out, l = out.append(l[0]), l[1:]
		} else {
			out, o = out.append(o[0]), o[1:]
		}
	}
	return out
}

// Intersect returns the bytes that are in both.
func (l List) Intersect(o List) List {
	var out List
	for len(l) > 0 && len(o) > 0 {
		out = out.append(l[0].Intersect(o[0]))
		if l[0].End() < o[0].End() {
			l = l[1:]
		} else {
			o = o[1:]
		}
	}
	return out
}

// Subtract returns the bytes of l that are not in o.
func (l List) Subtract(o List) List {
	return l.Intersect(o.Complement(l.End()))
}

// Clip returns the part of l inside e.
func (l List) Clip(e Extent) List {
	first, _ := slices.BinarySearchFunc(l, e.Start, func(x Extent, at int64) int { return cmp.Compare(x.End(), at+1) })
	var out List
	for _, x := range l[first:] {
		if x.Start >= e.End() {
			break
		}
		out = out.append(x.Intersect(e))
	}
	return out
}

// Shift moves every extent by the given number of bytes; no start may become negative.
func (l List) Shift(by int64) List {
	out := make(List, len(l))
	for i, e := range l {
		out[i] = Extent{e.Start + by, e.Length}
	}
	return out
}

// Align rounds every extent outwards to the grid, a power of two, and clips the
// result to [0, size).
func (l List) Align(grid, size int64) List {
	var out List
	for _, e := range l {
		start := e.Start &^ (grid - 1)
		end := min((e.End()+grid-1)&^(grid-1), size)
		out = out.append(Extent{start, end - start})
	}
	return out
}
