package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// Disk is the target. Optional abilities are found by interface: Discarder,
// CacheDropper, Rereader.
type Disk interface {
	block.Writer
	// Zero makes a range read as zeros, by whatever is quickest.
	Zero(off, n int64) error
}

// Discarder is implemented by targets that can give blocks back.
type Discarder interface {
	Discard(off, n int64) error
}

// CacheDropper is implemented by targets that can make the next read come from
// the medium.
type CacheDropper interface {
	DropCache() error
}

// Rereader is implemented by targets whose partitions a kernel knows.
type Rereader interface {
	Reread() error
}

// Run carries the plan out on disk, which is the plan's target. When it returns
// without an error every byte was checked against its hash, written and synced,
// and the table, or the start of the one volume, reads back as planned. After an error the target keeps its marker.
func (p *Plan) Run(ctx context.Context, src content.Source, disk Disk, work *progress.Work) error {
	return p.RunWith(ctx, func(context.Context) (content.Source, error) { return src, nil }, disk, work)
}

// RunWith is Run with content that is ready only when the target's old content was
// made unrecognisable: prepare fills what the plan calls Made, and returns the
// rest, whose regions are as they were planned. When it fails the target keeps
// its marker.
func (p *Plan) RunWith(ctx context.Context, prepare func(context.Context) (content.Source, error), disk Disk, work *progress.Work) error {
	if disk.Size() != p.Target.Size {
		return fmt.Errorf("the target has %d bytes now and had %d when this was planned", disk.Size(), p.Target.Size)
	}
	stages, reading := p.stages(work)
	if err := apply(disk, p.Before); err != nil {
		return err
	}
	if err := p.clear(disk); err != nil {
		return err
	}
	src, err := prepare(ctx)
	if err != nil {
		return err
	}
	target, last := disk, func() []part.Write { return p.After }
	if p.Table == nil {
		held := holdBack(disk, p.Target.SectorSize)
		target, last = held, held.putUp
	}
	if err := p.fill(ctx, src, target, work, stages); err != nil {
		return err
	}
	if err := p.freeUnused(ctx, disk); err != nil {
		return err
	}
	if err := (watched{disk, &work.Disk}).Sync(); err != nil {
		return fmt.Errorf("sync target: %w", err)
	}
	if p.Read {
		if err := p.readBack(ctx, src, watched{target, &work.Disk}, disk, reading); err != nil {
			return err
		}
	}
	return p.finish(disk, last())
}

// stages announces a stage for each region, and one for reading back, which is
// nil when nobody wants it.
func (p *Plan) stages(work *progress.Work) (stages []*progress.Stage, reading *progress.Stage) {
	for i := range p.Regions {
		r := &p.Regions[i]
		stages = append(stages, work.Region(r.Title(), r.Data, r.Volume == nil))
	}
	if p.Read {
		reading = work.Stage("read back", p.Bytes())
	}
	return stages, reading
}

// apply does planned writes in order.
func apply(disk Disk, writes []part.Write) error {
	for _, w := range writes {
		if _, err := disk.WriteAt(w.Data, w.Offset); err != nil {
			return fmt.Errorf("write %s: %w", w.What, err)
		}
		if !w.Sync {
			continue
		}
		if err := disk.Sync(); err != nil {
			return fmt.Errorf("sync %s: %w", w.What, err)
		}
	}
	return nil
}

// clear gives the whole target back before a full deploy, but for the marker.
func (p *Plan) clear(disk Disk) error {
	d, ok := disk.(Discarder)
	if !ok || !p.clears() {
		return nil
	}
	if err := d.Discard(edge, p.Target.Size-edge); err != nil {
		return fmt.Errorf("discard the target's old content: %w", err)
	}
	return nil
}

// clears reports whether the whole target is given back first.
func (p *Plan) clears() bool {
	return p.Full && p.Free == Discard && p.Target.Size > edge
}

// zeroed reports whether ranges that nobody wrote to read as zeros.
func (p *Plan) zeroed() bool { return p.Full && p.Free == Discard && p.Target.DiscardZeroes }

// fill writes all content.
func (p *Plan) fill(ctx context.Context, src content.Source, disk Disk, work *progress.Work, stages []*progress.Stage) error {
	return content.Each(ctx, src, p.places(), func(f content.Fetcher) content.Worker {
		w := p.newWriter(src, f, disk, work)
		return func(ctx context.Context, t content.Task) error {
			defer stages[t.Place].Add(t.Piece.Data())
			return w.write(ctx, t)
		}
	})
}

func (p *Plan) places() []content.Place {
	places := make([]content.Place, len(p.Regions))
	for i, r := range p.Regions {
		places[i] = content.Place{Region: r.Index, At: r.At, Size: r.Size}
	}
	return places
}

// dropCache makes the next reads come from the medium, where a target can.
func dropCache(disk Disk) error {
	c, ok := disk.(CacheDropper)
	if !ok {
		return nil
	}
	if err := c.DropCache(); err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	return nil
}

// readBack compares target, which is disk with what is held back of it, with the
// source, from the medium.
func (p *Plan) readBack(ctx context.Context, src content.Source, target, disk Disk, stage *progress.Stage) error {
	if err := dropCache(disk); err != nil {
		return err
	}
	return content.Compare(ctx, src, p.places(), target, func(t content.Task) {
		stage.Add(t.Piece.Data())
	}, func(t content.Task, e image.Entry) error {
		return &ReadbackError{p.Regions[t.Place].At + e.Offset, p.Regions[t.Place].Title()}
	})
}

// freeStep bounds what is freed between two looks at the context.
const freeStep = 1 << 30

// freeUnused treats the target's bytes outside all regions.
func (p *Plan) freeUnused(ctx context.Context, disk Disk) error {
	if p.zeroed() {
		return nil
	}
	for _, e := range p.Unused {
		for at := e.Start; at < e.End(); at += freeStep {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := p.free(disk, extent.Extent{Start: at, Length: min(freeStep, e.End()-at)}); err != nil {
				return err
			}
		}
	}
	return nil
}

// minDiscard is the shortest range worth a discard: devices work in such units.
const minDiscard = 1 << 20

// free treats a range of the target that the image does not need.
func (p *Plan) free(disk Disk, e extent.Extent) error {
	d, ok := disk.(Discarder)
	switch {
	case p.Free == Zero:
		if err := disk.Zero(e.Start, e.Length); err != nil {
			return fmt.Errorf("zero free space: %w", err)
		}
	case p.Free == Discard && ok && !p.Full && e.Length >= minDiscard:
		if err := d.Discard(e.Start, e.Length); err != nil {
			return fmt.Errorf("discard free space: %w", err)
		}
	}
	return nil
}

// finish makes the target valid by the last writes: its table, or the start of
// its one volume. When they fail or do not read back, it gets its marker again.
func (p *Plan) finish(disk Disk, last []part.Write) error {
	err := apply(disk, last)
	if err == nil {
		err = check(disk, last)
	}
	if err != nil {
		return errors.Join(err, apply(disk, p.Before))
	}
	if r, ok := disk.(Rereader); ok {
		return r.Reread()
	}
	return nil
}

// check reads writes back from the medium.
func check(disk Disk, writes []part.Write) error {
	if err := dropCache(disk); err != nil {
		return err
	}
	for _, w := range writes {
		got := make([]byte, len(w.Data))
		if err := block.ReadFull(disk, got, w.Offset); err != nil {
			return fmt.Errorf("read %s back: %w", w.What, err)
		}
		if !bytes.Equal(got, w.Data) {
			return &ReadbackError{w.Offset, w.What}
		}
	}
	return nil
}

// ReadbackError says that a target does not return what was written to it.
type ReadbackError struct {
	Offset int64 // on the target
	What   string
}

func (e *ReadbackError) Error() string {
	return fmt.Sprintf("the target returns other bytes at %#x than were written there (%s): it is not reliable", e.Offset, e.What)
}
