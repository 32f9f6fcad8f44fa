// Package deploy puts an image, or another disk, onto a target.
//
// NewPlan decides everything, refuses what must be refused, and touches nothing;
// its result can be printed and tested. Plan.Run carries it out and reads top to
// bottom in run.go. Order is safety: the old table goes first and the new one
// comes last, so a target that was written half does not boot, is recognised by
// its marker, and is finished by running the same plan again.
package deploy

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

// FreeSpace is what happens to target bytes that the image does not need.
type FreeSpace string

const (
	Discard FreeSpace = "discard" // given back to the device; their content is then undefined
	Zero    FreeSpace = "zero"
	Keep    FreeSpace = "keep"
)

// Options are the user's wishes.
type Options struct {
	Full     bool      // write everything, whatever the target holds
	Free     FreeSpace // "": Discard where the target can, else Keep
	Readback bool      // read everything back from the medium and compare
	NewIDs   bool      // give the disk and its partitions new IDs
	// Made are stretches of the target that Run's caller fills: file systems that
	// are made anew there. They are neither written nor freed.
	Made []extent.Extent
}

// Target is what is known of the disk that will be overwritten.
type Target struct {
	Path          string
	Size          int64 // bytes
	SectorSize    int   // logical, bytes
	CanDiscard    bool
	DiscardZeroes bool   // discarded ranges read as zeros
	Blank         bool   // nothing was found on it
	Unfinished    string // what a marker says an earlier deploy was putting there; ""
}

// Plan is everything a deploy will do.
type Plan struct {
	What    string // what is deployed: "lab:v2 (3fa2...)"
	Target  Target
	Table   *part.Table // as it will be on the target; nil: the target gets no table
	Regions []Region    // ascending
	Made    extent.List // target bytes that the caller fills
	Unused  extent.List // target bytes in no region, not made and not the table's
	Free    FreeSpace
	Delta   bool // look what is there and write what differs
	Full    bool // discard all first, since nothing there is looked at
	Read    bool // read back
	NewIDs  map[string]string
	Notes   []string

	Before []part.Write // make the old content unrecognisable
	After  []part.Write // the new table, in order; without one, the start of the volume takes its place
}

// Region is a part of the image and where it goes.
type Region struct {
	image.Region
	Index int   // in the source's Regions
	At    int64 // bytes from the start of the target
}

// RefusedError says why a target is not written.
type RefusedError struct{ Why string }

func (e *RefusedError) Error() string { return e.Why }

// TooSmallError says that the plan needs more room than the target has.
type TooSmallError struct {
	Need, Have int64 // bytes
}

func (e *TooSmallError) Error() string {
	return fmt.Sprintf("the target has %d bytes and the image needs %d: %d too few. Use a larger disk", e.Have, e.Need, e.Need-e.Have)
}

// edge is how far from both ends of a volume a stale signature may be found by
// other programs; free space there is zeroed whatever happens to the rest.
const edge = 1 << 20

// NewPlan plans a whole disk: what names the image, table and regions are its
// table (nil when it has none) and content.
func NewPlan(what string, table *part.Table, regions []image.Region, sourceSector int, target Target, opts Options) (*Plan, error) {
	p, err := begin(what, sourceSector, target, opts)
	if err != nil {
		return nil, err
	}
	if table == nil {
		if len(regions) != 1 {
			return nil, &RefusedError{fmt.Sprintf("the image holds %d parts and no partition table to place them by", len(regions))}
		}
		return p.single(regions[0], 0)
	}
	p.Made = extent.Of(opts.Made...)
	if err := holdsAll(*table, regions, p.Made); err != nil {
		return nil, err
	}
	t := *table
	if opts.NewIDs {
		if t, p.NewIDs, err = tables.NewIDs(t, rand.Reader); err != nil {
			return nil, err
		}
		p.Notes = append(p.Notes, "the disk and its partitions get new IDs; what refers to the old ones (PARTUUID= in fstab or on a kernel command line, boot entries) must be changed")
	}
	p.Table = &t
	if p.After, err = tables.Encode(t, target.Size); err != nil {
		var small *part.TooSmallError
		if errors.As(err, &small) {
			return nil, &TooSmallError{small.Need, small.Have}
		}
		return nil, err
	}
	p.place(regions)
	return p, nil
}

// NewVolumePlan plans one region of an image as the whole content of a target
// that has no table: a partition, or a bare disk.
func NewVolumePlan(what string, region image.Region, index, sourceSector int, target Target, opts Options) (*Plan, error) {
	if opts.NewIDs {
		return nil, &RefusedError{"new IDs are given to a disk with its table, not to a single partition"}
	}
	p, err := begin(what, sourceSector, target, opts)
	if err != nil {
		return nil, err
	}
	return p.single(region, index)
}

func begin(what string, sourceSector int, target Target, opts Options) (*Plan, error) {
	if sourceSector != target.SectorSize {
		return nil, &RefusedError{fmt.Sprintf("the image comes from a disk with sectors of %d bytes and the target has sectors of %d bytes: its table and file systems would not be readable there", sourceSector, target.SectorSize)}
	}
	p := &Plan{What: what, Target: target, Free: opts.Free, Delta: !opts.Full && !target.Blank, Full: opts.Full || target.Blank, Read: opts.Readback}
	if p.Free == "" {
		p.Free = Keep
		if target.CanDiscard {
			p.Free = Discard
		}
	}
	if p.Free == Discard && !target.CanDiscard {
		return nil, &RefusedError{"the target cannot discard blocks; use --free zero or --free keep"}
	}
	// The marker is the first write. The places of GPT headers follow the front,
	// since a superblock may still vouch for them.
	invalidate := tables.Invalidate(target.Size, target.SectorSize, Marker(what))
	p.Before = slices.Insert(invalidate, 1, takeDown(target.Size, target.SectorSize)...)
	if target.Unfinished != "" {
		p.Notes = append(p.Notes, "continues where an earlier deploy of "+target.Unfinished+" was interrupted")
	}
	return p, nil
}

// holdsAll refuses an image of some partitions only: the others would be
// whatever the target holds there.
func holdsAll(t part.Table, regions []image.Region, made extent.List) error {
	for _, entry := range t.Partitions {
		if entry.Extended || len(made.Clip(entry.Extent())) > 0 {
			continue
		}
		if !slices.ContainsFunc(regions, func(r image.Region) bool { return r.Partition == entry.Number && r.Volume != nil }) {
			return &RefusedError{fmt.Sprintf("the image does not hold partition %d of its disk; deploy the partitions it holds one by one with --partition N=TARGET", entry.Number)}
		}
	}
	return nil
}

// place puts every region where it was, and cuts the space behind the last
// partition to what the target has.
func (p *Plan) place(regions []image.Region) {
	var taken []extent.Extent
	var own extent.List
	for _, w := range p.After {
		own = own.Union(extent.Of(extent.Extent{Start: w.Offset, Length: int64(len(w.Data))}))
	}
	for i, r := range regions {
		at := extent.Extent{Start: r.Start, Length: r.Size}
		if r.Volume == nil && (at.End() > p.Target.Size || len(own.Clip(at)) > 0) {
			p.Notes = append(p.Notes, fmt.Sprintf("the unpartitioned space at %#x does not fit and is left out", r.Start))
			continue
		}
		p.Regions = append(p.Regions, Region{r, i, r.Start})
		taken = append(taken, at)
	}
	p.Unused = extent.Of(taken...).Union(own).Union(p.Made).Complement(p.Target.Size)
}

// single completes a plan for one region that fills the target.
func (p *Plan) single(r image.Region, index int) (*Plan, error) {
	need := r.End
	if r.Volume != nil {
		need = max(need, r.Volume.Size)
	}
	if need > p.Target.Size {
		return nil, &TooSmallError{need, p.Target.Size}
	}
	if r.Size > p.Target.Size {
		r.Size = p.Target.Size
	}
	p.Regions = []Region{{r, index, 0}}
	p.Unused = extent.List{{Start: r.Size, Length: p.Target.Size - r.Size}}
	if r.Size == p.Target.Size {
		p.Unused = nil
	}
	return p, nil
}

// Last adds writes that come at the very end, as those of a boot loader's sectors
// that are known only then. Those inside what After writes change that; the
// others come before it.
func (p *Plan) Last(writes ...part.Write) {
	for _, w := range slices.Backward(writes) {
		i := slices.IndexFunc(p.After, func(a part.Write) bool {
			return a.Offset <= w.Offset && w.Offset+int64(len(w.Data)) <= a.Offset+int64(len(a.Data))
		})
		if i < 0 {
			p.After = slices.Insert(p.After, 0, w)
			continue
		}
		data := bytes.Clone(p.After[i].Data)
		copy(data[w.Offset-p.After[i].Offset:], w.Data)
		p.After[i].Data = data
	}
}

// Bytes is how much the plan writes at most.
func (p *Plan) Bytes() int64 {
	var n int64
	for _, r := range p.Regions {
		n += r.Data
	}
	return n
}
