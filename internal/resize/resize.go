// Package resize has file systems made, measured, grown, shrunk and checked by
// the programs that their makers keep.
//
// It owns which program does what for which kind of volume, with which options,
// in which order, and what its words mean. Two things no program does are done
// here: the boot sectors of NTFS and FAT that say where and how long a volume is
// (boot.go), and a FAT volume that grows (fatgrow.go). It does not move data
// between disks and knows no partition table. Begin with Volume; Needs tells a
// plan what must be installed.
package resize

import (
	"context"
	"fmt"
	"io"

	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Volume is a volume that nobody uses now. After an error of Grow, Shrink or Make
// its content is worthless: they are for copies.
type Volume struct {
	Path  string    // a regular file, a file of a FUSE file system or a device that holds the volume and nothing else
	Kind  string    // as volume.Info.Kind
	Lines io.Writer // gets what the programs print while they run; nil: nobody listens
}

// Action is something that is done to a volume.
type Action string

const (
	Measuring Action = "measure"
	Growing   Action = "grow"
	Shrinking Action = "shrink"
	Checking  Action = "check"
	Making    Action = "make"
)

// Smallest is the size in bytes that Shrink is expected to reach. It is more than
// the least there may be, which nobody knows but by trying; each kind's margin is
// with its code. The volume is only read, but for btrfs, which
// is mounted.
func (v Volume) Smallest(ctx context.Context) (int64, error) {
	s, err := v.ready(ctx, Measuring)
	if err != nil {
		return 0, err
	}
	n, err := s.minimum(ctx, v, s.info)
	if err != nil {
		return 0, fmt.Errorf("measure the %s volume: %w", v.Kind, err)
	}
	return min(n+s.margin(n), s.info.Size), nil
}

// Grow makes the volume fill its file or device. Notes are worth showing.
func (v Volume) Grow(ctx context.Context) (notes []string, err error) {
	s, err := v.ready(ctx, Growing)
	if err != nil {
		return nil, err
	}
	size, err := sizeOf(v.Path)
	if err != nil {
		return nil, err
	}
	if size < s.info.Size {
		return nil, fmt.Errorf("grow the %s volume: it has %d bytes and its place only %d", v.Kind, s.info.Size, size)
	}
	notes, err = s.grow(ctx, v, size)
	if err != nil {
		return nil, fmt.Errorf("grow the %s volume to %d bytes: %w", v.Kind, size, err)
	}
	return notes, nil
}

// Shrink makes the volume fit into the first size bytes. A *TooSmallError says
// that it does not.
func (v Volume) Shrink(ctx context.Context, size int64) (notes []string, err error) {
	s, err := v.ready(ctx, Shrinking)
	if err != nil {
		return nil, err
	}
	if size >= s.info.Size {
		return nil, fmt.Errorf("shrink the %s volume to %d bytes: it has %d", v.Kind, size, s.info.Size)
	}
	need, err := s.minimum(ctx, v, s.info)
	if err == nil && size < need {
		err = &TooSmallError{v.Kind, need, size}
	}
	if err == nil {
		notes, err = s.shrink(ctx, v, size)
	}
	if err != nil {
		return nil, fmt.Errorf("shrink the %s volume to %d bytes: %w", v.Kind, size, err)
	}
	return notes, nil
}

// Check has the volume looked through. It is only read; the error says what is
// wrong with it.
func (v Volume) Check(ctx context.Context) error {
	s, err := surgeryOf(v.Kind, Checking)
	if err != nil {
		return err
	}
	if err := s.check(ctx, v); err != nil {
		return fmt.Errorf("check the %s volume: %w", v.Kind, err)
	}
	return nil
}

// Make makes an empty volume of s.Kind, which becomes v's, that fills its file or
// device. What was there is overwritten. Blocks are as large as the disk's sectors
// at least. Free space is neither discarded nor
// zeroed: that is decided where the target is known.
func (v Volume) Make(ctx context.Context, s Spec) error {
	v.Kind = s.Kind
	how, err := surgeryOf(s.Kind, Making)
	if err != nil {
		return err
	}
	if err := s.Valid(); err != nil {
		return fmt.Errorf("make a volume of %s: %w", s.Kind, err)
	}
	if s.BlockSize > 0 {
		s.BlockSize = max(s.BlockSize, int64(s.SectorSize))
	}
	if err := how.make(ctx, v, s); err != nil {
		return fmt.Errorf("make a volume of %s: %w", s.Kind, err)
	}
	return nil
}

// Needs returns the programs that an action takes, or a *NotPossibleError.
func Needs(kind string, a Action) ([]tool.Name, error) {
	s, err := surgeryOf(kind, a)
	return s.needs[a], err
}

// run runs a program on the volume.
func (v Volume) run(ctx context.Context, name tool.Name, args ...string) (tool.Result, error) {
	return tool.Command{Name: name, Args: args, Lines: v.Lines}.Run(ctx)
}

// ready returns what does the action after a look at the volume: it must be of
// its kind and clean, since the programs would guess otherwise.
func (v Volume) ready(ctx context.Context, a Action) (surgery, error) {
	s, err := surgeryOf(v.Kind, a)
	if err != nil {
		return s, err
	}
	if err := tool.Need(s.needs[a]...); err != nil {
		return s, err
	}
	if s.info, err = v.look(ctx, s.format); err != nil {
		return s, fmt.Errorf("%s the %s volume: %w", a, v.Kind, err)
	}
	return s, nil
}

func (v Volume) look(ctx context.Context, format volume.Format) (volume.Info, error) {
	d, err := openDisk(v.Path)
	if err != nil {
		return volume.Info{}, err
	}
	defer d.Close()
	ok, err := format.Recognise(d)
	if err != nil {
		return volume.Info{}, err
	}
	if !ok {
		return volume.Info{}, fmt.Errorf("%s holds no such volume", v.Path)
	}
	opened, err := format.Open(ctx, d)
	if err != nil {
		return volume.Info{}, err
	}
	info := opened.Info()
	if info.Kind != v.Kind {
		return info, fmt.Errorf("%s holds %s", v.Path, info.Kind)
	}
	if !info.Clean() {
		return info, &volume.RefusedError{Kind: info.Kind, Refusal: info.Refusals[0]}
	}
	return info, nil
}
