package btrfs

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// chunk maps the logical range [logical, logical+length) to one or two places
// of the same length on the device.
type chunk struct {
	logical, length int64
	starts          [2]int64
	copies          int
}

func (c chunk) end() int64 { return c.logical + c.length }

// physical is where the i-th copy of a logical address lies.
func (c chunk) physical(logical int64, i int) int64 {
	return c.starts[i] + logical - c.logical
}

// chunkMap is all chunks, ascending by logical address, without overlap.
type chunkMap []chunk

// find returns the chunk that holds all of a logical range. An extent never
// crosses from one chunk into the next.
func (m chunkMap) find(logical, length int64) (chunk, bool) {
	i, _ := slices.BinarySearchFunc(m, logical, func(c chunk, at int64) int { return cmp.Compare(c.end(), at+1) })
	if i == len(m) || logical < m[i].logical || length > m[i].end()-logical {
		return chunk{}, false
	}
	return m[i], true
}

// physical returns where the bytes of a logical list lie, all copies.
func (m chunkMap) physical(logical extent.List) extent.List {
	var out extent.Builder
	for _, s := range m.stripes() {
		for _, e := range logical.Clip(extent.Extent{Start: s.logical, Length: s.length}) {
			out.Add(s.start+e.Start-s.logical, e.Length)
		}
	}
	return out.List()
}

// stripe is one copy of a chunk.
type stripe struct{ start, logical, length int64 }

// stripes are all copies of all chunks, ascending by their place on the device.
func (m chunkMap) stripes() []stripe {
	out := make([]stripe, 0, 2*len(m))
	for _, c := range m {
		for _, start := range c.starts[:c.copies] {
			out = append(out, stripe{start, c.logical, c.length})
		}
	}
	slices.SortFunc(out, func(a, b stripe) int { return cmp.Compare(a.start, b.start) })
	return out
}

// check fails when two chunks claim one logical address or one place.
func (m chunkMap) check() error {
	for i := 1; i < len(m); i++ {
		if m[i].logical < m[i-1].end() {
			return damage("chunk tree", -1, fmt.Sprintf("chunks %d and %d overlap", m[i-1].logical, m[i].logical))
		}
	}
	stripes := m.stripes()
	for i := 1; i < len(stripes); i++ {
		if a, b := stripes[i-1], stripes[i]; b.start < a.start+a.length {
			return damage("chunk tree", b.start, fmt.Sprintf("chunks %d and %d share a place on the device", a.logical, b.logical))
		}
	}
	return nil
}
