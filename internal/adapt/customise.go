package adapt

import (
	"context"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/boot"
	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/drivers"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/system"
)

// Custom is what is made of the system beside fitting it. Its Job's Disk is filled
// in by Prepare.
type Custom struct {
	customise.Job
	Drivers drivers.Choice
}

// Report is what Prepare did to the system.
type Report struct {
	System  system.Kind `json:"system,omitempty"`
	Changed []string    `json:"changed,omitempty"` // names inside the system
	Notes   []string    `json:"notes,omitempty"`

	// Writes are sectors of a boot loader, for deploy.Plan.Last.
	Writes []part.Write `json:"-"`
}

// customise edits the system on the volumes as they are now.
func (s *Session) customise(ctx context.Context, plan *fit.Plan, target Target, c Custom, report *Report) error {
	c.Disk = s.disk(plan)
	if c.Settings == nil && (s.found == system.None || !s.mustEdit(c.Disk)) {
		return nil
	}
	s.job.Say("making the system this machine's own")
	sys, err := system.Open(ctx, s.job.Scratch, s.current(plan, target))
	if err != nil {
		return fmt.Errorf("mount the system: %w", s.volumes.Explain(err))
	}
	err = s.edit(ctx, sys, plan, c, report)
	if cerr := sys.Close(); err == nil {
		err = cerr
	}
	return s.volumes.Explain(err)
}

// mustEdit reports whether the system may name something of its disk that is
// another now. Windows names partitions of an MBR disk by their places.
func (s *Session) mustEdit(d customise.Disk) bool {
	return d.ID != d.OldID || slices.ContainsFunc(d.Volumes, func(v customise.Volume) bool {
		return v.Changed() || s.found == system.Windows && v.OldStart != v.Start
	})
}

// edit changes files of a mounted system.
func (s *Session) edit(ctx context.Context, sys *system.System, plan *fit.Plan, c Custom, report *Report) error {
	report.System = sys.Kind
	report.Notes = append(report.Notes, sys.Missing...)
	var done *customise.Report
	var err error
	switch {
	case sys.Kind == system.Linux:
		done, err = s.editLinux(ctx, sys, plan, c, report)
	case sys.Kind == system.Windows:
		done, err = s.editWindows(ctx, sys, c)
	case c.Settings != nil:
		return &NoSystemError{}
	}
	if err != nil {
		return err
	}
	if done != nil {
		report.Changed, report.Notes = append(report.Changed, done.Changed...), append(report.Notes, done.Notes...)
	}
	if sys.ESP == nil {
		return nil
	}
	changed, err := boot.EnsureFallback(sys.ESP)
	if err != nil {
		return fmt.Errorf("put the fallback loader in place: %w", err)
	}
	for _, name := range changed {
		report.Changed = append(report.Changed, "ESP:"+name)
	}
	return nil
}

// NoSystemError says that a profile has nothing to be applied to.
type NoSystemError struct{}

func (e *NoSystemError) Error() string {
	return "no operating system was found on the image's volumes, so the profile cannot be applied. Deploy without --profile and --hostname"
}

// current are the volumes as they are after fitting: in their views, or on the
// target where they were made anew.
func (s *Session) current(plan *fit.Plan, target Target) []system.Volume {
	all := s.mountable(false)
	for _, step := range plan.Steps {
		if step.Action != fit.Rebuild {
			continue
		}
		m := system.Volume{Partition: step.Partition}
		i := slices.IndexFunc(all, func(v system.Volume) bool { return v.Partition == step.Partition })
		if i >= 0 {
			m = all[i]
			all = slices.Delete(all, i, i+1)
		} else if t := s.tree(step.Partition); t != nil {
			m = s.describe(t.region)
		}
		m.Kind, m.Path = step.Kind, target.Path
		m.Options = mount.Options{Offset: step.To.Start, Size: step.To.Length, SectorSize: target.SectorSize}
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b system.Volume) int { return a.Partition - b.Partition })
	return all
}

// disk is what the system's disk was and will be.
func (s *Session) disk(plan *fit.Plan) customise.Disk {
	table := s.table()
	d := customise.Disk{OldID: table.ID, ID: plan.Table.ID, GPT: plan.Table.Kind == part.GPT, Sector: plan.Target.SectorSize}
	for _, step := range plan.Steps {
		v := customise.Volume{Partition: step.Partition, OldStart: step.From.Start, Start: step.To.Start, Length: step.To.Length, OldKind: step.OldKind, Kind: step.Kind}
		if r := s.held(step.Partition); r != nil {
			v.OldUUID, v.UUID, v.OldLabel, v.Label = r.UUID, r.UUID, r.Label, r.Label
		}
		old, _ := table.Partition(step.Partition)
		now, _ := plan.Table.Partition(step.Partition)
		v.OldID, v.ID, v.Type = old.ID, now.ID, old.Type
		d.Volumes = append(d.Volumes, v)
	}
	return d
}
