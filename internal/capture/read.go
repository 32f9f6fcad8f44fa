package capture

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// reader reads the plan's regions front to back, the way disks like it.
type reader struct {
	plan       *Plan
	minZeros   int64             // of a run that the cutter leaves out, bytes
	stages     []*progress.Stage // by region
	unreadable []*extent.Builder // by region
	disk       *progress.Traffic
	number     int
}

// UnreadableError says that a source could not be read. --rescue reads around it.
type UnreadableError struct {
	Region string
	Offset int64 // on the disk
	Err    error
}

func (e *UnreadableError) Error() string {
	return fmt.Sprintf("%s: read the disk at %#x: %v", e.Region, e.Offset, e.Err)
}
func (e *UnreadableError) Unwrap() error { return e.Err }

// run sends every piece that holds something to todo, in a buffer from free.
func (r *reader) run(ctx context.Context, free <-chan *[]byte, todo chan<- *piece) error {
	for i, region := range r.plan.Regions {
		r.unreadable = append(r.unreadable, &extent.Builder{})
		used, err := withoutHoles(region, r.minZeros)
		if err != nil {
			return fmt.Errorf("%s: %w", region.Title(), err)
		}
		r.stages[i].Add(region.Used.Bytes() - used.Bytes())
		for len(used) > 0 {
			span := extent.Extent{Start: used[0].Start / image.PieceSpan * image.PieceSpan, Length: image.PieceSpan}
			pc := &piece{number: r.number, region: i, extents: used.Clip(span)}
			for len(used) > 0 && used[0].End() <= span.End() {
				used = used[1:]
			}
			if len(used) > 0 && used[0].Start < span.End() {
				used[0] = extent.Extent{Start: span.End(), Length: used[0].End() - span.End()}
			}
			if err := r.fill(ctx, free, pc); err != nil {
				return err
			}
			select {
			case todo <- pc:
				r.number++
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

// withoutHoles returns what must be read of a region: where everything outside
// its map is zeros anyway, the holes of a sparse source need not be. Of each hole
// the margin at both ends is read, so that the cutter sees a run of zeros there
// and cuts as it does where the same zeros are stored. The caller owns the list.
func withoutHoles(r Region, margin int64) (extent.List, error) {
	sparse, ok := r.Window.(block.Sparse)
	if !ok || r.Rest != image.Zeros {
		return append(extent.List{}, r.Used...), nil
	}
	var data extent.Builder
	for at := int64(0); at < r.Size; {
		start, end, err := sparse.NextData(at)
		if err != nil {
			return nil, err
		}
		if end <= at {
			break
		}
		if start < end {
			first := max(0, start&^(chunk.Grid-1)-margin)
			data.Add(first, min(r.Size, end+margin)-first)
		}
		at = end
	}
	return r.Used.Intersect(data.List().Align(chunk.Grid, r.Size)), nil
}

// fill reads the piece's extents into a free buffer.
func (r *reader) fill(ctx context.Context, free <-chan *[]byte, pc *piece) error {
	select {
	case pc.buf = <-free:
	case <-ctx.Done():
		return ctx.Err()
	}
	at := 0
	for _, e := range pc.extents {
		if err := r.read(pc.region, e.Start, (*pc.buf)[at:at+int(e.Length)]); err != nil {
			return err
		}
		at += int(e.Length)
	}
	return nil
}

// Rescue reads a failing range again in ever smaller parts, down to a sector.
const rescueParts = 8

// read fills p from the region, around what cannot be read when that is asked for.
func (r *reader) read(region int, off int64, p []byte) error {
	window := r.plan.Regions[region].Window
	err := block.ReadFull(block.Watch(window, r.disk), p, off)
	if err == nil {
		return nil
	}
	var outside *block.RangeError
	if !r.plan.Rescue || errors.As(err, &outside) {
		return &UnreadableError{r.plan.Regions[region].Title(), r.plan.Regions[region].Start + off, err}
	}
	sector := block.SectorSizeOf(window)
	if len(p) <= sector {
		if block.ReadFull(window, p, off) == nil { // a second try often works
			return nil
		}
		clear(p)
		r.unreadable[region].Add(off, int64(len(p)))
		return nil
	}
	step := max(sector, (len(p)/rescueParts+sector-1)/sector*sector)
	for at := 0; at < len(p); at += step {
		if err := r.read(region, off+int64(at), p[at:min(at+step, len(p))]); err != nil {
			return err
		}
	}
	return nil
}
