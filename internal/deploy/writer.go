package deploy

import (
	"bytes"
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// writer brings pieces onto the target; it belongs to one goroutine.
type writer struct {
	plan    *Plan
	target  Disk
	disk    Disk // the target, watched
	work    *progress.Work
	fetcher content.Fetcher
	lacking []image.Entry    // what of the piece the target does not hold, as far as IDs tell
	next    int              // of them
	fresh   []byte           // what must be there, at the offsets of the piece's span
	holding *content.Holding // what is there; nil when nobody looks
}

func (p *Plan) newWriter(src content.Source, f content.Fetcher, disk Disk, work *progress.Work) *writer {
	w := &writer{plan: p, target: disk, disk: watched{disk, &work.Disk}, work: work, fetcher: f}
	if p.Delta {
		w.holding = content.NewHolding(src, f)
	}
	return w
}

// write brings one piece onto the target.
func (w *writer) write(ctx context.Context, t content.Task) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r := w.plan.Regions[t.Place]
	if err := w.writeTo(ctx, r, t.Piece); err != nil {
		return fmt.Errorf("%s: %w", r.Title(), err)
	}
	return nil
}

func (w *writer) writeTo(ctx context.Context, r Region, p content.Piece) error {
	w.fresh = p.Buffer(w.fresh)
	if w.holding != nil {
		if err := w.holding.Read(w.disk, r.At, p); err != nil {
			return err
		}
	}
	if err := w.lookWhatIsLacking(ctx, p); err != nil {
		return err
	}
	if err := content.FetchAhead(ctx, w.fetcher, p.Region, w.lacking); err != nil {
		return err
	}
	var dirty extent.Builder // relative to the span: what must be written from fresh
	for _, e := range p.Entries {
		if err := w.entry(ctx, r, p, e, &dirty); err != nil {
			return err
		}
	}
	for _, run := range dirty.List() {
		if _, err := w.disk.WriteAt(w.fresh[run.Start:run.End()], r.At+p.Span.Start+run.Start); err != nil {
			return err
		}
		w.work.Written.Add(run.Length)
	}
	return w.freeSpace(r, p)
}

// lookWhatIsLacking lists the entries, other than zeros, that the target does not
// hold or that have no ID to tell by.
func (w *writer) lookWhatIsLacking(ctx context.Context, p content.Piece) error {
	w.lacking, w.next = w.lacking[:0], 0
	for _, e := range p.Entries {
		if e.Zero {
			continue
		}
		if w.holding != nil && content.Known(e) {
			same, err := w.holding.Same(ctx, e)
			if err != nil {
				return err
			}
			if same {
				w.work.Same.Add(e.Length)
				continue
			}
		}
		w.lacking = append(w.lacking, e)
	}
	return nil
}

// entry adds what must be written for e to dirty.
func (w *writer) entry(ctx context.Context, r Region, p content.Piece, e image.Entry, dirty *extent.Builder) error {
	if e.Zero {
		return w.zeros(ctx, r, p, e, dirty)
	}
	if w.next == len(w.lacking) || w.lacking[w.next].Offset != e.Offset {
		return nil
	}
	w.next++
	off := e.Offset - p.Span.Start
	fresh := w.fresh[off : off+e.Length]
	if err := w.fetcher.Fetch(ctx, p.Region, e, fresh); err != nil {
		return err
	}
	if w.holding == nil {
		dirty.Add(off, e.Length)
		return nil
	}
	written := differences(off, w.holding.Bytes(e), fresh, dirty)
	w.work.Same.Add(e.Length - written)
	return nil
}

// Differences are found in blocks of diffBlock and joined over equal stretches
// of up to diffJoin bytes: one larger write is cheaper than two.
const (
	diffBlock = 4096
	diffJoin  = 32 << 10
)

// differences adds the blocks in which old and fresh, which lie at off, differ
// to dirty and returns how many bytes they have.
func differences(off int64, old, fresh []byte, dirty *extent.Builder) (n int64) {
	start, end := 0, 0 // the run found last
	flush := func() {
		dirty.Add(off+int64(start), int64(end-start))
		n += int64(end - start)
	}
	for at := 0; at < len(fresh); at += diffBlock {
		to := min(at+diffBlock, len(fresh))
		if bytes.Equal(old[at:to], fresh[at:to]) {
			continue
		}
		if at-end > diffJoin || end == 0 {
			flush()
			start = at
		}
		end = to
	}
	flush()
	return n
}

// smallZeros are written with their neighbours instead of by a call of their own.
const smallZeros = 256 << 10

// zeros makes e read as zeros.
func (w *writer) zeros(ctx context.Context, r Region, p content.Piece, e image.Entry, dirty *extent.Builder) error {
	if w.plan.zeroed() && r.At+e.Offset >= edge {
		return nil
	}
	runs, err := w.notZero(ctx, p, e)
	if err != nil {
		return err
	}
	for _, run := range runs {
		if run.Length <= smallZeros {
			clear(w.fresh[run.Start:run.End()])
			dirty.Add(run.Start, run.Length)
			continue
		}
		if err := w.disk.Zero(r.At+p.Span.Start+run.Start, run.Length); err != nil {
			return err
		}
		w.work.Written.Add(run.Length)
	}
	return nil
}

// notZero returns where zeros must be written for e, relative to the span: all
// of it when nobody looks what is there.
func (w *writer) notZero(ctx context.Context, p content.Piece, e image.Entry) (extent.List, error) {
	off := e.Offset - p.Span.Start
	if w.holding == nil {
		return extent.List{{Start: off, Length: e.Length}}, nil
	}
	same, err := w.holding.Same(ctx, e)
	if err != nil || same {
		w.work.Same.Add(e.Length)
		return nil, err
	}
	zeros := w.fresh[off : off+e.Length]
	clear(zeros)
	var runs extent.Builder
	written := differences(off, w.holding.Bytes(e), zeros, &runs)
	w.work.Same.Add(e.Length - written)
	return runs.List(), nil
}

// freeSpace treats what the piece does not need.
func (w *writer) freeSpace(r Region, p content.Piece) error {
	if w.plan.zeroed() {
		return nil
	}
	var used extent.Builder
	for _, e := range p.Entries {
		used.Add(e.Offset, e.Length)
	}
	free := extent.Of(p.Span).Subtract(used.List())
	edges := extent.Of(extent.Extent{Length: min(edge, r.Size)}, extent.Extent{Start: max(0, r.Size-edge), Length: min(edge, r.Size)})
	for _, e := range free.Intersect(edges) {
		if err := w.disk.Zero(r.At+e.Start, e.Length); err != nil {
			return err
		}
	}
	for _, e := range free.Subtract(edges) {
		if err := w.plan.free(w.target, extent.Extent{Start: r.At + e.Start, Length: e.Length}); err != nil {
			return err
		}
	}
	return nil
}
