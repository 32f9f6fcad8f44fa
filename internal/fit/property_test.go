package fit

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

// checkPlan holds p against what every plan promises.
func checkPlan(t *testing.T, d disk, p *Plan) {
	t.Helper()
	if _, err := tables.Encode(p.Table, p.Target.Size); err != nil {
		t.Errorf("encode: %v", err)
	}
	volumes, end, before := map[int]Volume{}, int64(0), int64(-1)
	for _, v := range d.volumes {
		volumes[v.Partition] = v
	}
	for _, s := range p.Steps {
		switch {
		case s.From.Start <= before:
			t.Errorf("partition %d is out of order", s.Partition)
		case s.To.Start < end || s.To.End() > p.Target.Size:
			t.Errorf("partition %d at %v overlaps or leaves the disk", s.Partition, s.To)
		case s.Moves() && s.To.Start%mib != 0:
			t.Errorf("partition %d moved to %#x", s.Partition, s.To.Start)
		case s.Action == Keep && s.From != s.To && p.Source.SectorSize == p.Target.SectorSize, s.Action == Move && !s.Moves():
			t.Errorf("partition %d: %s from %v to %v", s.Partition, s.Action, s.From, s.To)
		}
		checkLength(t, volumes[s.Partition], s)
		end, before = s.To.End(), s.From.Start
	}
	checkGaps(t, p)
	if p.Need > p.Target.Size {
		t.Errorf("needs %d of %d", p.Need, p.Target.Size)
	}
	if p.Table.Kind != part.None && len(p.Table.Partitions) != len(d.table.Partitions) {
		t.Errorf("%d partitions of %d", len(p.Table.Partitions), len(d.table.Partitions))
	}
}

// checkLength checks that a volume keeps what it needs.
func checkLength(t *testing.T, v Volume, s Step) {
	t.Helper()
	switch {
	case s.Action == Shrink && s.To.Length < v.Smallest:
		t.Errorf("partition %d shrinks to %d, below %d", s.Partition, s.To.Length, v.Smallest)
	case s.Action == Rebuild && s.To.Length < v.RebuildSize:
		t.Errorf("partition %d is made anew with %d, below %d", s.Partition, s.To.Length, v.RebuildSize)
	case (s.Action == Keep || s.Action == Move) && s.To.Length < s.From.Length:
		t.Errorf("partition %d is cut from %d to %d", s.Partition, s.From.Length, s.To.Length)
	}
}

// checkGaps checks that what a boot loader may have left behind its sector 0 stays,
// and that nothing that is kept is overwritten.
func checkGaps(t *testing.T, p *Plan) {
	t.Helper()
	for _, g := range p.Gaps {
		if g.Kept != (g.Why == "") {
			t.Errorf("gap %v: kept %v, %q", g.Extent, g.Kept, g.Why)
		}
		if g.End() <= p.Steps[0].From.Start && !g.Kept && p.Source.SectorSize == p.Target.SectorSize && p.Table.Kind == part.GPT {
			t.Errorf("the gap %v before the first partition is dropped: %s", g.Extent, g.Why)
		}
		for _, s := range p.Steps {
			if g.Kept && g.Intersect(s.To).Length > 0 {
				t.Errorf("gap %v is kept and lies in partition %d", g.Extent, s.Partition)
			}
		}
	}
}
