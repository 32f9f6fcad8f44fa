// Package capture turns a disk into an image in a store.
//
// It owns what is taken of a disk (NewPlan, where every refusal happens) and the
// pipeline that takes it (Run, which reads top to bottom in run.go). It never
// writes to the source. Names are given by the caller, after Run.
package capture

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Options are the user's wishes.
type Options struct {
	Partitions []int // numbers to take; empty: all, and the gaps between them
	Raw        bool  // every sector of every volume
	AllowDirty bool  // take every sector of a volume that is not clean, instead of refusing
	KeepSwap   bool  // do not leave out the contents of swap and page files
	Rescue     bool  // read around unreadable sectors and record them
}

// Plan is everything a capture will do.
type Plan struct {
	Disk    image.Disk
	Table   *part.Table // nil: one volume without a table
	Regions []Region    // ascending by Start
	Partial bool        // not all partitions are taken
	Rescue  bool
}

// Region is a part of the disk with what is taken of it.
type Region struct {
	image.Region              // without its counts and map
	Window       block.Reader // the region's bytes
	Used         extent.List  // what is taken, on the chunk grid, relative to the region
	Notes        []string     // sentences for the user
}

// Bytes is how much the plan reads at most.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, r := range p.Regions {
		n += r.Used.Bytes()
	}
	return n
}

// RefusedError lists every reason not to capture the disk as asked.
type RefusedError struct{ Reasons []string }

func (e *RefusedError) Error() string { return strings.Join(e.Reasons, "\n") }

// PartitionError says that a partition that was asked for is not there.
type PartitionError struct {
	Number int
	Have   []int
}

func (e *PartitionError) Error() string {
	return fmt.Sprintf("there is no partition %d; there are %v", e.Number, e.Have)
}

// Gaps up to this size are taken whole. Of a larger one, its first and last
// gapEdge bytes are: boot loaders, and the metadata of software RAIDs and dynamic
// disks, lie at the edges.
const (
	gapWhole = 64 << 20
	gapEdge  = 16 << 20
)

// NewPlan decides what is taken of a surveyed disk, and reads the used maps.
func NewPlan(ctx context.Context, src block.Reader, from image.Disk, d *survey.Disk, opts Options) (*Plan, error) {
	p := &Plan{Disk: from, Rescue: opts.Rescue, Partial: len(opts.Partitions) > 0}
	if d.Table.Kind != part.None {
		t := d.Table
		p.Table = &t
	}
	if err := checkNumbers(d, opts.Partitions); err != nil {
		return nil, err
	}
	var refused RefusedError
	for _, v := range d.Volumes {
		if p.Partial && !slices.Contains(opts.Partitions, v.Partition.Number) {
			continue
		}
		region, err := planVolume(ctx, v, opts)
		var no *RefusedError
		if errors.As(err, &no) {
			refused.Reasons = append(refused.Reasons, no.Reasons...)
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", title(v), err)
		}
		p.Regions = append(p.Regions, region)
	}
	if len(refused.Reasons) > 0 {
		return nil, &refused
	}
	if p.Partial {
		return p, nil
	}
	if err := p.addGaps(src, d.Gaps); err != nil {
		return nil, err
	}
	return p, nil
}

func checkNumbers(d *survey.Disk, wanted []int) error {
	var have []int
	for _, v := range d.Volumes {
		have = append(have, v.Partition.Number)
	}
	for _, n := range wanted {
		if !slices.Contains(have, n) {
			return &PartitionError{n, have}
		}
	}
	return nil
}

// title names a volume for messages.
func title(v survey.Volume) string {
	name := "the disk's one volume"
	if v.Partition.Number > 0 {
		name = fmt.Sprintf("partition %d", v.Partition.Number)
	}
	name += ", " + v.Info.Kind
	if v.Info.Label != "" {
		name += fmt.Sprintf(" %q", v.Info.Label)
	}
	return name
}

// planVolume decides between the used map, every sector, and a *RefusedError.
func planVolume(ctx context.Context, v survey.Volume, opts Options) (Region, error) {
	size := v.Window.Size()
	r := Region{Window: v.Window, Region: image.Region{
		Partition: v.Partition.Number, Start: v.Start(), Size: size, Rest: image.Zeros,
		Volume: &image.Volume{
			Kind: v.Info.Kind, Label: v.Info.Label, UUID: v.Info.UUID, Size: v.Info.Size, BlockSize: v.Info.BlockSize,
			Method: image.AllSectors, Used: max(0, v.Info.Used), Notes: v.Info.Notes,
		},
	}}
	all := extent.Of(extent.Extent{Length: size})
	why, err := whyNotUsed(v, opts)
	if err != nil {
		return Region{}, err
	}
	if why != "" {
		r.Used, r.Notes = all, append(r.Notes, fmt.Sprintf("%s: every sector is taken: %s", title(v), why))
		return r, nil
	}
	used, err := v.Volume.Used(ctx)
	var damage *volume.DamageError
	if errors.As(err, &damage) && !opts.AllowDirty {
		return Region{}, refuse(v, damage.Error(), "Check the file system, or take every sector of it with --raw.")
	}
	if errors.As(err, &damage) {
		r.Used, r.Notes = all, append(r.Notes, fmt.Sprintf("%s: every sector is taken: %v", title(v), damage))
		return r, nil
	}
	if err != nil {
		return Region{}, err
	}
	used = used.Union(tail(v.Info.Size, size))
	if used.Bytes() < size {
		r.Volume.Method, r.Rest = image.UsedBlocks, image.Free
	}
	if used, err = r.omit(ctx, v, used, opts); err != nil {
		return Region{}, err
	}
	r.Used = used.Align(chunk.Grid, size)
	return r, nil
}

// tailKept is how much is taken of the end of a partition that its file system
// does not reach: a mirror of Linux software RAID keeps its superblock there
// (metadata 0.90 and 1.0, in the last 128 KiB), and looks like a bare file system
// from its start.
const tailKept = 1 << 20

func tail(claimed, size int64) extent.List {
	start := max(claimed, size-tailKept)
	return extent.Of(extent.Extent{Start: start, Length: size - start})
}

// whyNotUsed says why a volume is taken sector by sector, "" when it is not, or
// fails with a *RefusedError.
func whyNotUsed(v survey.Volume, opts Options) (string, error) {
	switch {
	case opts.Raw:
		return "--raw", nil
	case v.Damage != nil && !opts.AllowDirty:
		return "", refuse(v, v.Damage.Error(), "Repair it, or take every sector of it with --raw.")
	case v.Damage != nil:
		return v.Damage.Error(), nil
	}
	for _, no := range v.Info.Refusals {
		if !opts.AllowDirty || !no.Waivable {
			return "", refuse(v, no.What, no.Do)
		}
	}
	if len(v.Info.Refusals) > 0 {
		return v.Info.Refusals[0].What + ", so its map of free space is not trusted", nil
	}
	return "", nil
}

func refuse(v survey.Volume, what, do string) error {
	return &RefusedError{[]string{fmt.Sprintf("%s: %s. %s", title(v), strings.TrimSuffix(what, "."), do)}}
}

// omit takes out of used what nobody wants back.
func (r *Region) omit(ctx context.Context, v survey.Volume, used extent.List, opts Options) (extent.List, error) {
	o, ok := v.Volume.(volume.Omitter)
	if !ok || opts.KeepSwap {
		return used, nil
	}
	omissions, err := o.Omit(ctx)
	if err != nil {
		return nil, err
	}
	for _, om := range omissions {
		// Only whole blocks of the grid, so that rounding out brings nothing back in.
		whole := om.Extents.Complement(r.Size).Align(chunk.Grid, r.Size).Complement(r.Size).Intersect(used)
		if len(whole) == 0 {
			continue
		}
		used = used.Subtract(whole)
		r.Omitted = append(r.Omitted, image.Omission{Name: om.Name, Bytes: whole.Bytes()})
		r.Volume.Method, r.Rest = image.UsedBlocks, image.Free
	}
	return used, nil
}

// addGaps adds the space between partitions.
func (p *Plan) addGaps(src block.Reader, gaps []extent.Extent) error {
	for _, g := range gaps {
		window, err := block.Section(src, g.Start, g.Length)
		if err != nil {
			return fmt.Errorf("space between partitions: %w", err)
		}
		r := Region{Window: window, Region: image.Region{Start: g.Start, Size: g.Length, Rest: image.Zeros}}
		r.Used = extent.Of(extent.Extent{Length: g.Length})
		if g.Length > gapWhole {
			r.Rest = image.Free
			middle := extent.Extent{Start: gapEdge, Length: (g.Length - 2*gapEdge) &^ (chunk.Grid - 1)}
			r.Used = r.Used.Subtract(extent.Of(middle))
			r.Omitted = append(r.Omitted, image.Omission{Name: "middle of unpartitioned space", Bytes: middle.Length})
			r.Notes = append(r.Notes, fmt.Sprintf("unpartitioned space of %d bytes at %#x: the first and last %d MiB are taken", g.Length, g.Start, gapEdge>>20))
		}
		p.Regions = append(p.Regions, r)
	}
	slices.SortFunc(p.Regions, func(a, b Region) int { return int(min(1, max(-1, a.Start-b.Start))) })
	return nil
}

// Notes are the sentences the user should read before the work starts.
func (p *Plan) Notes() []string {
	var notes []string
	for _, r := range p.Regions {
		notes = append(notes, r.Notes...)
		for _, o := range r.Omitted {
			notes = append(notes, fmt.Sprintf("%s: %s (%d MiB) left out", r.Title(), o.Name, o.Bytes>>20))
		}
	}
	return notes
}
