package adapt

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ingot-imaging/ingot/internal/block/loop"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/resize"
)

// rebuild makes a file system at its place on the target, and its files in it.
func (s *Session) rebuild(ctx context.Context, step fit.Step, target Target) (notes []string, err error) {
	old, done, err := s.files(ctx, step)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	spec, note, err := s.spec(ctx, step, old)
	if err != nil {
		return nil, err
	}
	spec.SectorSize, spec.Start = target.SectorSize, step.To.Start/int64(target.SectorSize)
	s.job.Say(fmt.Sprintf("making %s anew on partition %d", step.Kind, step.Partition))
	place := mount.Options{Offset: step.To.Start, Size: step.To.Length, SectorSize: target.SectorSize}
	err = onLoop(target.Path, place, func(device string) error {
		return resize.Volume{Path: device, Kind: step.Kind}.Make(ctx, spec)
	})
	if err != nil {
		return nil, err
	}
	lost, err := s.fill(ctx, old, target.Path, step.Kind, place)
	for _, l := range lost {
		note = append(note, fmt.Sprintf("partition %d: %s cannot hold %v", step.Partition, step.Kind, l))
	}
	return note, err
}

// onLoop calls do with a device that is a stretch of path.
func onLoop(path string, o mount.Options, do func(device string) error) error {
	d, err := loop.Attach(path, loop.Options{Offset: o.Offset, Size: o.Size, SectorSize: o.SectorSize})
	if err != nil {
		return err
	}
	return errors.Join(do(d.Path()), d.Close())
}

// fill copies files into a new file system, and has it checked.
func (s *Session) fill(ctx context.Context, old *files.Volume, path, kind string, place mount.Options) ([]files.Loss, error) {
	dir, err := os.MkdirTemp(s.job.Scratch, "ingot-new-")
	if err != nil {
		return nil, err
	}
	defer os.Remove(dir)
	m, err := mount.Volume(ctx, path, kind, dir, place)
	if err != nil {
		return nil, err
	}
	lost, err := old.Apply(ctx, dir, s.job.Work)
	if err = errors.Join(err, m.Close()); err != nil {
		return nil, err
	}
	err = onLoop(path, place, func(device string) error {
		return resize.Volume{Path: device, Kind: kind}.Check(ctx)
	})
	if err == nil && s.job.Read {
		err = s.readBack(ctx, old, path, kind, dir, place)
	}
	return lost, err
}

// DifferentError says that a file on the target is not what was written to it.
type DifferentError struct {
	Kind  string
	First files.Difference
	Files int
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("%d files of the new %s read back otherwise than they were written, the first: %v", e.Files, e.Kind, e.First)
}

// readBack mounts the new file system again, so that nothing of it is in memory,
// and compares every file.
func (s *Session) readBack(ctx context.Context, old *files.Volume, path, kind, dir string, place mount.Options) error {
	place.ReadOnly = true
	m, err := mount.Volume(ctx, path, kind, dir, place)
	if err != nil {
		return err
	}
	s.job.Say("reading the new " + kind + " back")
	bad := &DifferentError{Kind: kind}
	err = old.Compare(ctx, dir, func(d files.Difference) {
		if bad.Files++; bad.Files == 1 {
			bad.First = d
		}
	})
	if err = errors.Join(err, m.Close()); err == nil && bad.Files > 0 {
		err = bad
	}
	return err
}

// files are the files of a partition's volume: as they were captured, or of its
// view. done must be called.
func (s *Session) files(ctx context.Context, step fit.Step) (v *files.Volume, done func() error, err error) {
	if s.tree(step.Partition) != nil {
		v, err = files.Open(ctx, s.job.Source, step.Partition)
		return v, func() error { return nil }, err
	}
	shown := s.volumes.Of(step.Partition)
	dir, err := os.MkdirTemp(s.job.Scratch, "ingot-old-")
	if err != nil {
		return nil, nil, err
	}
	m, err := mount.Volume(ctx, shown.Path, step.OldKind, dir, mount.Options{ReadOnly: true, SectorSize: s.job.Sector})
	if err != nil {
		return nil, nil, errors.Join(shown.Explain(err), os.Remove(dir))
	}
	unmount := func() error { return errors.Join(m.Close(), os.Remove(dir)) }
	tree, err := files.Walk(ctx, dir, files.WalkOptions{Kind: step.OldKind, All: true, Place: s.job.Place})
	if err != nil {
		return nil, nil, errors.Join(shown.Explain(err), unmount())
	}
	return tree.Volume(), func() error { return errors.Join(tree.Close(), unmount()) }, nil
}

// spec says how the file system is made: as the old one was, or with the defaults
// of another kind and the old one's identity.
func (s *Session) spec(ctx context.Context, step fit.Step, old *files.Volume) (resize.Spec, []string, error) {
	var spec resize.Spec
	var err error
	if v := s.volumes.Of(step.Partition); v != nil {
		spec, err = resize.SpecOf(ctx, v.Base, step.OldKind)
	} else {
		spec, err = resize.ParseSpec(old.Listing.Spec)
	}
	if err != nil || spec.Kind == step.Kind {
		return spec, nil, err
	}
	held := s.held(step.Partition)
	spec = resize.Spec{Kind: step.Kind, UUID: held.UUID, Label: held.Label}
	if step.Kind == "xfs" && len(spec.Label) > xfsLabel {
		return spec, nil, fmt.Errorf("its label %q has more than the %d bytes that XFS can hold", spec.Label, xfsLabel)
	}
	return spec, []string{fmt.Sprintf("partition %d is %s now and was %s; it keeps its UUID", step.Partition, step.Kind, step.OldKind)}, nil
}

// xfsLabel is how long a label of XFS can be, bytes (xfs_sb.sb_fname).
const xfsLabel = 12
