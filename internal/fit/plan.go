package fit

import (
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

// NewPlan plans how the disk with table t, whose partitions hold the given
// volumes, lands on target. A disk without a table (part.None) has one volume,
// with the number 0.
//
// Without a change of size or sectors, and without wishes, everything stays. It
// fails with a *TooSmallError, a *RefusedError or an *OptionError.
func NewPlan(t part.Table, volumes []Volume, target Target, opts Options) (*Plan, error) {
	if err := checkInput(t, target); err != nil {
		return nil, err
	}
	known, err := volumesByNumber(t, volumes)
	if err != nil {
		return nil, err
	}
	w, err := readOptions(opts, known)
	if err != nil {
		return nil, err
	}
	converted, err := tables.WithSectorSize(t, target.SectorSize)
	if err != nil {
		return nil, &RefusedError{err.Error()}
	}
	source := Target{t.DiskSize, t.SectorSize}
	l, err := newLayout(converted, known, source, target, w)
	if err != nil {
		return nil, err
	}
	p := &Plan{Source: source, Target: target, Need: l.need(), Table: converted}
	if p.Need < 0 {
		return nil, &RefusedError{"the partitions reach behind what an MBR can address on a disk with such sectors, however they are fitted"}
	}
	if !l.shrink() {
		return nil, &TooSmallError{p.Need, target.Size}
	}
	l.settle()
	if p.Notes, err = l.grow(w); err != nil {
		return nil, err
	}
	p.finish(l)
	writes, err := tables.Encode(p.Table, target.Size)
	if err != nil {
		return nil, &RefusedError{fmt.Sprintf("the layout that fits cannot be written: %v", err)}
	}
	p.Gaps = l.gaps(t.Gaps(), writes)
	return p, nil
}

// finish writes down what the layout has become.
func (p *Plan) finish(l *layout) {
	places, end := make([]int64, len(l.items)), int64(0)
	for i, it := range l.items {
		places[i], end = it.want, it.want+it.length
		if !it.head {
			p.Steps = append(p.Steps, l.step(it))
		}
	}
	p.Free = max(0, l.limit-end)
	p.Notes = append(p.Notes, l.notes(p)...)
	switch {
	case p.Table.Kind == part.None:
		p.Table.DiskSize = end
	case !l.untouched():
		p.Table.Partitions = l.partitions(places, l.limit)
	}
}

// gaps says what becomes of the source's space between partitions: it stays as
// long as its neighbours do.
func (l *layout) gaps(source []extent.Extent, writes []part.Write) []Gap {
	taken := extent.List{}
	for _, w := range writes {
		taken = taken.Union(extent.Of(extent.Extent{Start: w.Offset, Length: int64(len(w.Data))}))
	}
	for _, it := range l.items {
		taken = taken.Union(extent.Of(extent.Extent{Start: it.want, Length: it.length}))
	}
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
	i := slices.IndexFunc(l.items, func(it item) bool { return it.source.Start >= e.End() })
	if i < 0 {
		i = len(l.items)
	} else {
		behind = &l.items[i]
	}
	if i > 0 {
		before = &l.items[i-1]
	}
	return before, behind
}
