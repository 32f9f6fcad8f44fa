package fit

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// layout is the items of a disk in their order, and the space they may take.
type layout struct {
	table  part.Table // counts in the target's sectors
	target Target
	items  []item
	floor  int64 // nothing moves before it
	limit  int64 // end of the space for partitions
	grain  int64 // of what changes
	fixed  int   // so many items, counted from the first, may not move

	converted bool // the sectors have another size than on the source
}

// newLayout returns the source's layout as the target can express it.
func newLayout(t part.Table, known map[int]*Volume, source, target Target, w wishes) (*layout, error) {
	usable := t.Usable(target.Size)
	l := &layout{table: t, target: target, limit: usable.End(), grain: mib, converted: source.SectorSize != target.SectorSize}
	if t.Kind == part.None {
		l.grain = int64(target.SectorSize)
		t.Partitions = []part.Partition{{Length: t.DiskSize}}
	}
	for _, p := range sorted(t.Partitions) {
		if p.Extended {
			l.items = append(l.items, newHead(p, target))
			continue
		}
		it, err := newItem(t.Kind, p, known[p.Number], source, target, w)
		if err != nil {
			return nil, err
		}
		l.items = append(l.items, it)
	}
	if err := l.checkOrder(); err != nil {
		return nil, err
	}
	l.giveLeads()
	if len(l.items) > 0 {
		l.floor = l.items[0].want
		if l.converted {
			l.floor = max(l.floor, usable.Start)
		}
	}
	// A partition may end behind what tools offer: where an MBR can still express it.
	if end := l.sourceEnd(); t.Kind == part.MBR && end <= target.Size {
		l.limit = max(l.limit, end)
	}
	return l, nil
}

// sorted returns partitions in the order of the disk, containers first.
func sorted(partitions []part.Partition) []part.Partition {
	out := slices.Clone(partitions)
	slices.SortStableFunc(out, func(a, b part.Partition) int {
		if a.Start == b.Start && a.Extended {
			return -1
		}
		return cmp.Compare(a.Start, b.Start)
	})
	return out
}

// newHead returns the head of extended partition p.
func newHead(p part.Partition, target Target) item {
	sector := int64(target.SectorSize)
	h := item{number: p.Number, head: true, source: extent.Extent{Start: p.Start, Length: p.Length}, want: p.Start, base: sector, length: sector}
	if h.want%sector != 0 {
		h.want = up(h.want, mib)
	}
	return h
}

// checkOrder refuses logical partitions outside extended ones, and others inside.
func (l *layout) checkOrder() error {
	var container, last extent.Extent
	for _, it := range l.items {
		shared := it.source.Intersect(container)
		switch {
		case it.source.Start < last.End(), it.logical && shared != it.source, !it.logical && shared.Length > 0:
			return &RefusedError{fmt.Sprintf("the image's partition table contradicts itself: partition %d lies partly inside another one", it.number)}
		case it.head:
			container, last = it.source, extent.Extent{Start: it.source.Start, Length: 1}
			continue
		}
		last = it.source
	}
	return nil
}

// giveLeads keeps a sector for the boot record of each logical partition. That of
// the one with the lowest number is the head.
func (l *layout) giveLeads() {
	sector := int64(l.target.SectorSize)
	for i := range l.items {
		if !l.items[i].head {
			continue
		}
		end, lowest := i+1, i+1
		for end < len(l.items) && l.items[end].logical {
			l.items[end].lead = sector
			if l.items[end].number < l.items[lowest].number {
				lowest = end
			}
			end++
		}
		if lowest < end {
			l.items[lowest].lead = 0
		}
	}
}
