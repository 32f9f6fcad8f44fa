package adapt

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/system"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/view/volumes"
)

// Plan measures the volumes and plans how they land on a target. Nothing is
// changed. The errors are those of fit.NewPlan, and of looking at volumes.
func (s *Session) Plan(ctx context.Context, target fit.Target, wishes Wishes) (*fit.Plan, error) {
	table := s.table()
	holder, err := s.findSystem(ctx)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil { // a volume that cannot be mounted can still be moved
		s.job.Say(fmt.Sprintf("which partition holds the system is not known: %v", err))
	}
	tight := target.Size < table.MinDiskSize()
	var measured []fit.Volume
	for _, v := range s.volumes.All {
		m, err := s.measure(ctx, v, tight)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", v.Region.Title(), err)
		}
		m.System = v.Region.Partition == holder
		measured = append(measured, m)
	}
	for _, t := range s.trees {
		m := described(t.region)
		m.Files, m.RebuildSize, m.System = true, s.treeNeeds(t), t.partition == holder
		measured = append(measured, m)
	}
	opts, err := wishes.options(holder)
	if err != nil {
		return nil, err
	}
	plan, err := fit.NewPlan(table, measured, target, opts)
	if err != nil {
		return nil, err
	}
	return plan, installed(plan)
}

// installed is a *tool.MissingError when a program that the plan takes is not
// there.
func installed(plan *fit.Plan) error {
	var names []tool.Name
	for _, step := range plan.Steps {
		for _, a := range actions(step) {
			more, err := resize.Needs(step.Kind, a)
			if err != nil {
				return fmt.Errorf("partition %d: %w", step.Partition, err)
			}
			names = append(names, more...)
		}
	}
	return tool.Need(names...)
}

// actions are what a step has done to a volume by programs.
func actions(step fit.Step) []resize.Action {
	switch step.Action {
	case fit.Grow:
		return []resize.Action{resize.Growing, resize.Checking}
	case fit.Shrink:
		return []resize.Action{resize.Shrinking, resize.Checking}
	case fit.Rebuild:
		return []resize.Action{resize.Making, resize.Checking}
	case fit.Remake:
		return []resize.Action{resize.Making}
	}
	return nil
}

// Wishes are what the user wants of the fit.
type Wishes struct {
	Grow        string            // as fit.Options.Grow
	FileSystems map[string]string // partition number, or "root", → kind
}

// Or completes w with what a profile says.
func (w Wishes) Or(d profile.Disk) Wishes {
	if w.Grow == "" {
		w.Grow = d.Grow
	}
	if len(w.FileSystems) == 0 {
		w.FileSystems = d.FileSystems
	}
	return w
}

func (w Wishes) options(holder int) (fit.Options, error) {
	opts := fit.Options{Grow: w.Grow, FileSystems: map[int]string{}}
	for name, kind := range w.FileSystems {
		n, err := strconv.Atoi(name)
		switch {
		case name == "root" && holder > 0:
			n = holder
		case name == "root":
			return opts, &fit.OptionError{Why: "which partition is 'root' is not known, since no system was found; name it by its number"}
		case err != nil:
			return opts, &fit.OptionError{Why: fmt.Sprintf("a file system is chosen for a partition's number or 'root', not for %q", name)}
		}
		opts.FileSystems[n] = kind
	}
	return opts, nil
}

// System is the kind of operating system that Plan found.
func (s *Session) System() system.Kind { return s.found }

// table is the source's, or that of a bare volume.
func (s *Session) table() part.Table {
	if s.job.Table != nil {
		return *s.job.Table
	}
	return part.Table{Kind: part.None, SectorSize: s.job.Sector, DiskSize: s.job.Source.Regions()[0].Size}
}

func described(r image.Region) fit.Volume {
	return fit.Volume{
		Partition: r.Partition, Kind: r.Volume.Kind, Label: r.Volume.Label, BlockSize: r.Volume.BlockSize,
		End: r.End, Smallest: -1, RebuildSize: -1,
	}
}

// measure asks the format's own tool only when room is wanted: it takes seconds.
func (s *Session) measure(ctx context.Context, v *volumes.Volume, tight bool) (fit.Volume, error) {
	m := described(v.Region)
	if used := v.Region.Volume.Used; used > 0 && mount.Mountable(m.Kind) {
		m.RebuildSize = room(used)
	}
	if !tight || !fit.Shrinks(m.Kind) {
		return m, nil
	}
	s.job.Say(fmt.Sprintf("measuring how small %s can become", v.Region.Title()))
	var err error
	m.Smallest, err = resize.Volume{Path: v.Path, Kind: m.Kind}.Smallest(ctx)
	return m, v.Explain(err)
}

// room is what a new file system needs for used bytes: a sixteenth for its own
// structures, beside a journal.
func room(used int64) int64 { return used + used/16 + 128<<20 }

// treeNeeds is the room that the files of a tree take. Small files round up to a
// block, which contents on the chunk grid have done already.
func (s *Session) treeNeeds(t tree) int64 {
	const inode = 512 // bytes, the largest default of the kinds that can be made
	contents := s.job.Source.Regions()[t.contents]
	return room(contents.Data - contents.Zero + t.region.Volume.Files*inode)
}

// findSystem is the partition that holds an operating system, 0 when none does.
func (s *Session) findSystem(ctx context.Context) (partition int, err error) {
	table := s.table()
	m := &image.Manifest{Disk: image.Disk{SectorSize: s.job.Sector}, Table: &table, Regions: s.job.Source.Regions()}
	img := browse.NewShown(s.volumes, s.job.Source, m, s.job.Scratch)
	defer func() { err = errors.Join(s.volumes.Explain(err), img.Close()) }()
	tree, kind, err := img.System(ctx)
	var none *browse.NoSystemError
	if errors.As(err, &none) {
		return 0, none.Err
	}
	if err != nil || kind == system.None {
		return 0, err
	}
	s.found = kind
	return tree.Partition(), nil
}

// mountable are the shown volumes as package system wants them.
func (s *Session) mountable(readOnly bool) []system.Volume {
	var all []system.Volume
	for _, v := range s.volumes.All {
		m := s.describe(v.Region)
		m.Path, m.Options = v.Path, mount.Options{ReadOnly: readOnly, SectorSize: s.job.Sector}
		all = append(all, m)
	}
	return all
}

// describe is a region as package system knows volumes.
func (s *Session) describe(r image.Region) system.Volume {
	return system.Volume{Partition: r.Partition, Kind: r.Volume.Kind, UUID: r.Volume.UUID, Label: r.Volume.Label}.In(s.table())
}
