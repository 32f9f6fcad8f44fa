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
// and the table reads back as planned. After an error the target keeps its marker.
func (p *Plan) Run(ctx context.Context, src content.Source, disk Disk, work *progress.Work) error {
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
	head, err := p.fill(ctx, src, disk, work, stages)
	if err != nil {
		return err
	}
	if err := p.freeUnused(disk); err != nil {
		return err
	}
	if err := disk.Sync(); err != nil {
		return fmt.Errorf("sync target: %w", err)
	}
	if p.Read && head == nil {
		if err := p.readBack(ctx, src, disk, reading); err != nil {
			return err
		}
	}
	return p.finish(ctx, src, disk, work, reading, head)
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

// fill writes all content. Without a table the piece that holds the volume's
// first bytes is returned instead: it is written last, in a table's stead.
func (p *Plan) fill(ctx context.Context, src content.Source, disk Disk, work *progress.Work, stages []*progress.Stage) (head *content.Task, err error) {
	err = content.Each(ctx, src, p.places(), func(f content.Fetcher) content.Worker {
		w := p.newWriter(src, f, disk, work)
		return func(ctx context.Context, t content.Task) error {
			defer stages[t.Place].Add(t.Piece.Data())
			if p.Table == nil && t.Piece.Span.Start == 0 {
				head = &t
				return nil
			}
			return w.write(ctx, t)
		}
	})
	return head, err
}

func (p *Plan) places() []content.Place {
	places := make([]content.Place, len(p.Regions))
	for i, r := range p.Regions {
		places[i] = content.Place{Region: r.Index, At: r.At, Size: r.Size}
	}
	return places
}

// readBack compares the target with the source, from the medium.
func (p *Plan) readBack(ctx context.Context, src content.Source, disk Disk, stage *progress.Stage) error {
	if c, ok := disk.(CacheDropper); ok {
		if err := c.DropCache(); err != nil {
			return fmt.Errorf("read back: %w", err)
		}
	}
	return content.Compare(ctx, src, p.places(), disk, func(t content.Task) {
		stage.Add(t.Piece.Data())
	}, func(t content.Task, e image.Entry) error {
		return &ReadbackError{p.Regions[t.Place].At + e.Offset, p.Regions[t.Place].Title()}
	})
}

// freeUnused treats the target's bytes outside all regions.
func (p *Plan) freeUnused(disk Disk) error {
	if p.zeroed() {
		return nil
	}
	for _, e := range p.Unused {
		if err := p.free(disk, e); err != nil {
			return err
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

// finish makes the target valid: by its table, or by the start of the one volume.
func (p *Plan) finish(ctx context.Context, src content.Source, disk Disk, work *progress.Work, reading *progress.Stage, head *content.Task) error {
	if head != nil {
		return p.finishVolume(ctx, src, disk, work, reading, *head)
	}
	if err := apply(disk, p.After); err != nil {
		return err
	}
	if err := p.checkTable(disk); err != nil {
		return err
	}
	if r, ok := disk.(Rereader); ok {
		return r.Reread()
	}
	return nil
}

// finishVolume writes the head. When reading back fails, the target gets its
// marker again.
func (p *Plan) finishVolume(ctx context.Context, src content.Source, disk Disk, work *progress.Work, reading *progress.Stage, head content.Task) error {
	f, err := src.Fetcher()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := p.newWriter(src, f, disk, work).write(ctx, head); err != nil {
		return err
	}
	if err := disk.Sync(); err != nil {
		return fmt.Errorf("sync target: %w", err)
	}
	if !p.Read {
		return nil
	}
	if err := p.readBack(ctx, src, disk, reading); err != nil {
		return errors.Join(err, apply(disk, p.Before))
	}
	return nil
}

// checkTable reads the table back from the medium.
func (p *Plan) checkTable(disk Disk) error {
	if c, ok := disk.(CacheDropper); ok {
		if err := c.DropCache(); err != nil {
			return fmt.Errorf("read the table back: %w", err)
		}
	}
	for _, w := range p.After {
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
