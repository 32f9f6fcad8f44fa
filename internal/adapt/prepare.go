package adapt

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/survey"
)

// Target is the disk that file systems are made on.
type Target struct {
	Path       string
	SectorSize int // logical, bytes
}

// Rebuilds reports whether a plan makes file systems anew on the target, so that
// Prepare must come when the target's old content is gone.
func Rebuilds(plan *fit.Plan) bool {
	return slices.ContainsFunc(plan.Steps, func(s fit.Step) bool { return s.Action == fit.Rebuild })
}

// Prepare does everything that changes volumes, and returns what is to be written
// to the places of layout. The report says what was edited. After an error the
// session is of no more use.
func (s *Session) Prepare(ctx context.Context, plan *fit.Plan, layout Layout, target Target, c Custom) (content.Source, *Report, error) {
	writes, err := s.moveCore(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	report := &Report{Writes: writes}
	for _, step := range plan.Steps {
		notes, err := s.carryOut(ctx, step, target)
		if err != nil {
			return nil, nil, fmt.Errorf("partition %d: %w", step.Partition, err)
		}
		report.Notes = append(report.Notes, notes...)
	}
	if err := s.customise(ctx, plan, target, c, report); err != nil {
		return nil, nil, err
	}
	src, err := s.result(ctx, layout)
	return src, report, err
}

// carryOut does one step of a plan.
func (s *Session) carryOut(ctx context.Context, step fit.Step, target Target) (notes []string, err error) {
	if step.Action == fit.Rebuild {
		return s.rebuild(ctx, step, target)
	}
	v := s.volume(step.Partition)
	if v == nil {
		return nil, nil
	}
	vol := resize.Volume{Path: s.path(v), Kind: v.region.Volume.Kind}
	switch step.Action {
	case fit.Grow:
		s.job.Say(fmt.Sprintf("growing %s from %d to %d MiB", v.region.Title(), step.From.Length>>20, step.To.Length>>20))
		if err = v.layer.Resize(step.To.Length); err == nil {
			notes, err = vol.Grow(ctx)
		}
	case fit.Shrink:
		s.job.Say(fmt.Sprintf("shrinking %s from %d to %d MiB", v.region.Title(), step.From.Length>>20, step.To.Length>>20))
		if notes, err = vol.Shrink(ctx, step.To.Length); err == nil {
			err = v.layer.Resize(step.To.Length)
		}
	case fit.Remake:
		err = s.remake(ctx, v, vol, step)
	}
	if err == nil && step.Moves() {
		err = vol.Relocate(step.To.Start / int64(target.SectorSize))
	}
	return notes, v.fault(err)
}

// remake makes swap space of the new size, with the old one's UUID and label.
func (s *Session) remake(ctx context.Context, v *shown, vol resize.Volume, step fit.Step) error {
	spec, err := resize.SpecOf(ctx, v.base, vol.Kind)
	if err != nil {
		return err
	}
	if err := v.layer.Resize(step.To.Length); err != nil {
		return err
	}
	return vol.Make(ctx, spec)
}

// result looks at what the layers hold now, and puts it together with what was not
// changed.
func (s *Session) result(ctx context.Context, layout Layout) (content.Source, error) {
	changes := map[int]content.Change{}
	regions := slices.Clone(layout.Regions)
	for i, r := range regions {
		v := s.volume(r.Partition)
		if r.Volume == nil || v == nil || len(v.layer.Dirty()) == 0 && v.layer.Size() == v.region.Size {
			continue
		}
		change, err := s.changed(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("%s, as it was changed: %w", v.region.Title(), v.fault(err))
		}
		changes[layout.From[i]] = change
	}
	for _, v := range s.volumes {
		// A program may have taken what it could not read for what is not there.
		if err := v.layer.Err(); err != nil {
			return nil, fmt.Errorf("%s: %w", v.region.Title(), err)
		}
	}
	patched := content.NewPatched(s.job.Source, changes)
	return content.NewPlaced(patched, regions, layout.From), nil
}

// changed has the volume's own checker look at it, and reads its used map.
func (s *Session) changed(ctx context.Context, v *shown) (content.Change, error) {
	s.job.Say("checking " + v.region.Title())
	if err := (resize.Volume{Path: s.path(v), Kind: v.region.Volume.Kind}).Check(ctx); err != nil {
		return content.Change{}, err
	}
	found := survey.Open(ctx, sectored{v.layer, s.job.Sector}, s.job.Formats)
	if found.Damage != nil {
		return content.Change{}, found.Damage
	}
	if found.Info.Kind != v.region.Volume.Kind {
		return content.Change{}, fmt.Errorf("it is %s and was %s", found.Info.Kind, v.region.Volume.Kind)
	}
	used, err := found.Volume.Used(ctx)
	if err != nil {
		return content.Change{}, err
	}
	return content.Change{Layer: v.layer, Used: used, Size: v.layer.Size()}, nil
}

// sectored is a layer with the sector size of its disk.
type sectored struct {
	block.Reader
	size int
}

// SectorSize implements block.Sectored.
func (s sectored) SectorSize() int { return s.size }
