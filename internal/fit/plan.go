package fit

import (
	"fmt"

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
