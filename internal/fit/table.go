package fit

import (
	"cmp"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// partitions are the table's with the items' places; extended ones reach around
// what they hold and as far as they did, but not past the next item or limit.
func (l *layout) partitions(places []int64, limit int64) []part.Partition {
	out, sector := slices.Clone(l.table.Partitions), int64(l.target.SectorSize)
	index := map[int]int{}
	for i, p := range out {
		index[p.Number] = i
	}
	for i, it := range l.items {
		p := &out[index[it.number]]
		p.Start, p.Length = places[i], it.length
		if !it.head {
			continue
		}
		end, next := places[i]+it.length, down(limit, sector)
		for k := i + 1; k < len(l.items); k++ {
			if !l.items[k].logical {
				next = places[k]
				break
			}
			end = places[k] + l.items[k].length
		}
		p.Length = max(end, min(places[i]+up(it.source.Length, sector), next)) - places[i]
	}
	return sorted(out)
}

// gaps says what becomes of the source's space between partitions: it stays as
// long as its neighbours do.
func (l *layout) gaps(source []extent.Extent, writes []part.Write) []Gap {
	var used []extent.Extent
	for _, w := range writes {
		used = append(used, extent.Extent{Start: w.Offset, Length: int64(len(w.Data))})
	}
	for _, it := range l.items {
		used = append(used, extent.Extent{Start: it.want, Length: it.length})
	}
	taken := extent.Of(used...)
	var out []Gap
	for _, e := range source {
		g := Gap{Extent: e}
		switch before, behind := l.neighbours(e); {
		case e.End() > l.target.Size:
			g.Why = "It lies behind the end of the disk."
		case len(taken.Clip(e)) > 0:
			g.Why = "Something else lies there now."
		case before != nil && (before.want != before.source.Start || !before.head && before.length != before.source.Length),
			behind != nil && behind.want != behind.source.Start:
			g.Why = "The partitions beside it moved."
		default:
			g.Kept = true
		}
		out = append(out, g)
	}
	return out
}

// neighbours are the items on both sides of e on the source, nil at an edge.
func (l *layout) neighbours(e extent.Extent) (before, behind *item) {
	i, _ := slices.BinarySearchFunc(l.items, e.End(), func(it item, at int64) int { return cmp.Compare(it.source.Start, at) })
	if i < len(l.items) {
		behind = &l.items[i]
	}
	if i > 0 {
		before = &l.items[i-1]
	}
	return before, behind
}
