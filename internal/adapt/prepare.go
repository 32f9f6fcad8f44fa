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
	"github.com/ingot-imaging/ingot/internal/view/volumes"
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
	v := s.volumes.Of(step.Partition)
	if v == nil {
		return nil, nil
	}
	vol := resize.Volume{Path: v.Path, Kind: v.Region.Volume.Kind}
	switch step.Action {
	case fit.Grow:
		s.job.Say(fmt.Sprintf("growing %s from %d to %d MiB", v.Region.Title(), step.From.Length>>20, step.To.Length>>20))
		if err = v.Layer.Resize(step.To.Length); err == nil {
			notes, err = vol.Grow(ctx)
		}
	case fit.Shrink:
		s.job.Say(fmt.Sprintf("shrinking %s from %d to %d MiB", v.Region.Title(), step.From.Length>>20, step.To.Length>>20))
		if notes, err = vol.Shrink(ctx, step.To.Length); err == nil {
			err = v.Layer.Resize(step.To.Length)
		}
	case fit.Remake:
		err = s.remake(ctx, v, vol, step)
	}
	if err == nil && step.Moves() {
		err = vol.Relocate(step.To.Start / int64(target.SectorSize))
	}
	return notes, v.Explain(err)
}

// remake makes swap space of the new size, with the old one's UUID and label.
func (s *Session) remake(ctx context.Context, v *volumes.Volume, vol resize.Volume, step fit.Step) error {
	spec, err := resize.SpecOf(ctx, v.Base, vol.Kind)
	if err != nil {
		return err
	}
	if err := v.Layer.Resize(step.To.Length); err != nil {
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
		v := s.volumes.Of(r.Partition)
		if r.Volume == nil || v == nil || !v.Changed() {
			continue
		}
		change, err := s.changed(ctx, v)
		if err != nil {
			return nil, fmt.Errorf("%s, as it was changed: %w", v.Region.Title(), v.Explain(err))
		}
		changes[layout.From[i]] = change
	}
	// A program may have taken what it could not read for what is not there.
	if err := s.volumes.Err(); err != nil {
		return nil, err
	}
	patched := content.NewPatched(s.job.Source, changes)
	return content.NewPlaced(patched, regions, layout.From), nil
}

// changed has the volume's own checker look at it, and reads its used map.
func (s *Session) changed(ctx context.Context, v *volumes.Volume) (content.Change, error) {
	s.job.Say("checking " + v.Region.Title())
	if err := (resize.Volume{Path: v.Path, Kind: v.Region.Volume.Kind}).Check(ctx); err != nil {
		return content.Change{}, err
	}
	found := survey.Open(ctx, sectored{v.Layer, s.job.Sector}, s.job.Formats)
	if found.Damage != nil {
		return content.Change{}, found.Damage
	}
	if found.Info.Kind != v.Region.Volume.Kind {
		return content.Change{}, fmt.Errorf("it is %s and was %s", found.Info.Kind, v.Region.Volume.Kind)
	}
	used, err := found.Volume.Used(ctx)
	if err != nil {
		return content.Change{}, err
	}
	return content.Change{Layer: v.Layer, Used: used, Size: v.Layer.Size()}, nil
}

// sectored is a layer with the sector size of its disk.
type sectored struct {
	block.Reader
	size int
}

// SectorSize implements block.Sectored.
func (s sectored) SectorSize() int { return s.size }
