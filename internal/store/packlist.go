package store

import (
	"cmp"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// packList is the packs that are there, to be found by how an index names them.
// It is sorted rather than a map: a store of 10 TiB has 250,000 packs, and this
// takes 10 MB for them.
type packList struct {
	sorted []foundPack                // by the first 8 bytes of the ID
	added  map[packPrefix][]foundPack // since it was made
}

// foundPack is a pack as it was listed.
type foundPack struct {
	id   chunk.ID
	size int64
}

// mayHold checks a place that an index names in the pack.
func (p foundPack) mayHold(l pack.Location) bool {
	return l.Possible() && int64(l.Offset)+int64(l.Stored) <= p.size
}

// newPackList takes over packs.
func newPackList(packs []foundPack) *packList {
	slices.SortFunc(packs, func(a, b foundPack) int { return cmp.Compare(prefixOf(a.id), prefixOf(b.id)) })
	return &packList{sorted: packs, added: map[packPrefix][]foundPack{}}
}

func (l *packList) add(p foundPack) {
	l.added[prefixOf(p.id)] = append(l.added[prefixOf(p.id)], p)
}

// holders are the packs that an index may mean.
func (l *packList) holders(prefix packPrefix) []foundPack {
	from, _ := slices.BinarySearchFunc(l.sorted, prefix, func(p foundPack, want packPrefix) int { return cmp.Compare(prefixOf(p.id), want) })
	to := from
	for to < len(l.sorted) && prefixOf(l.sorted[to].id) == prefix {
		to++
	}
	if added := l.added[prefix]; len(added) > 0 {
		return slices.Concat(l.sorted[from:to], added)
	}
	return l.sorted[from:to]
}

// without is a list of those for which skip says false.
func (l *packList) without(skip func(chunk.ID) bool) *packList {
	var left []foundPack
	for _, p := range l.sorted {
		if !skip(p.id) {
			left = append(left, p)
		}
	}
	for _, packs := range l.added {
		for _, p := range packs {
			if !skip(p.id) {
				left = append(left, p)
			}
		}
	}
	return newPackList(left)
}
