package adapt

import (
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/image"
)

// Layout is where the content of a plan's deploy lies on the target.
type Layout struct {
	Regions []image.Region  // at their places on the target, ascending
	From    []int           // the region of the source that each is made of
	Made    []extent.Extent // file systems that are made anew on the target
}

// Layout applies a plan to the source's regions. It is pure; the numbers of
// regions that will be changed are those of before.
func (s *Session) Layout(plan *fit.Plan) Layout {
	var l Layout
	regions := s.job.Source.Regions()
	for _, step := range plan.Steps {
		if step.Action == fit.Rebuild {
			l.Made = append(l.Made, step.To)
			continue
		}
		i := slices.IndexFunc(regions, func(r image.Region) bool {
			return r.Role == image.Blocks && r.Volume != nil && r.Partition == step.Partition
		})
		if i >= 0 {
			l.add(regions[i], i, step.To)
		}
	}
	for _, gap := range plan.Gaps {
		i := slices.IndexFunc(regions, func(r image.Region) bool { return r.Volume == nil && r.Start == gap.Start })
		if gap.Kept && i >= 0 {
			l.add(regions[i], i, gap.Extent)
		}
	}
	l.sort()
	return l
}

func (l *Layout) add(r image.Region, from int, to extent.Extent) {
	r.Start, r.Size = to.Start, to.Length
	r.Data, r.Zero, r.End = min(r.Data, r.Size), min(r.Zero, r.Size), min(r.End, r.Size)
	l.Regions, l.From = append(l.Regions, r), append(l.From, from)
}

// sort orders the regions by their places.
func (l *Layout) sort() {
	order := make([]int, len(l.Regions))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return int(max(-1, min(1, l.Regions[a].Start-l.Regions[b].Start))) })
	sorted := Layout{Made: l.Made}
	for _, i := range order {
		sorted.Regions, sorted.From = append(sorted.Regions, l.Regions[i]), append(sorted.From, l.From[i])
	}
	*l = sorted
}
