package capture

import (
	"context"
	"fmt"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// piece is the used part of one PieceSpan of a region, in the order in which the
// disk is read. The cuts at its borders are at the same places in the next
// version of the disk. Its buffer belongs to whoever holds the piece.
type piece struct {
	number  int // counts up over all regions
	region  int
	extents extent.List // relative to the region
	buf     *[]byte     // the extents' bytes, one after the other
	entries []entry     // made by the worker
}

// entry is a chunk whose place may not be known yet.
type entry struct {
	image.Entry
	place *store.Place // nil: zeros
}

// Run carries the plan out in session and returns the regions with their maps.
// One goroutine reads the disk front to back, workers cut, hash, compress and
// pack what it read, one collector puts the maps together.
func (p *Plan) Run(ctx context.Context, s *store.Store, ses *store.Session, work *progress.Work) ([]image.Region, error) {
	c := newCollector(p, ses, work)
	stages := p.stages(work)
	r := &reader{plan: p, minZeros: int64(s.Config().Chunks.Min), stages: stages, disk: &work.Disk}
	if err := p.pipeline(ctx, s, ses, r, c, stages); err != nil {
		return nil, err
	}
	if err := ses.Sync(ctx); err != nil {
		return nil, err
	}
	if err := c.finish(ctx); err != nil {
		return nil, err
	}
	for i, bad := range r.unreadable {
		c.regions[i].Unreadable = bad.List()
	}
	return c.regions, nil
}

// maxWorkers bounds memory: a worker holds a piece and a pack, 33 MiB, and eight
// of them keep up with any disk that they read.
const maxWorkers = 8

// pipeline returns when every piece went from the reader through a worker to the
// collector. Buffers go round from free to the reader to a worker and back.
func (p *Plan) pipeline(ctx context.Context, s *store.Store, ses *store.Session, r *reader, c *collector, stages []*progress.Stage) error {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	free := make(chan *[]byte, workers+1)
	for range cap(free) {
		buf := make([]byte, image.PieceSpan)
		free <- &buf
	}
	todo, done := make(chan *piece), make(chan *piece, workers)

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		return r.run(ctx, free, todo)
	})
	var working sync.WaitGroup
	for range workers {
		working.Add(1)
		g.Go(func() error {
			defer working.Done()
			return p.work(ctx, s, ses, todo, done, free, stages)
		})
	}
	g.Go(func() error {
		working.Wait()
		close(done)
		return nil
	})
	g.Go(func() error { return c.run(ctx, done) })
	return g.Wait()
}

// stages announces a stage for each region.
func (p *Plan) stages(work *progress.Work) []*progress.Stage {
	stages := make([]*progress.Stage, len(p.Regions))
	for i, r := range p.Regions {
		stages[i] = work.Region(r.Title(), r.Used.Bytes(), r.Volume == nil)
	}
	return stages
}

// Title names a region for a person.
func (r *Region) Title() string { return r.Region.Title() }

// work cuts and stores pieces until todo is closed.
func (p *Plan) work(ctx context.Context, s *store.Store, ses *store.Session, todo <-chan *piece, done chan<- *piece, free chan<- *[]byte, stages []*progress.Stage) error {
	w, err := ses.NewWriter()
	if err != nil {
		return err
	}
	for pc := range todo {
		if err := cut(ctx, s, w, pc, p.Regions[pc.region].Rest); err != nil {
			return fmt.Errorf("%s: %w", p.Regions[pc.region].Title(), err)
		}
		stages[pc.region].Add(pc.extents.Bytes())
		free <- pc.buf
		pc.buf = nil
		if err := w.SealIfAsked(ctx); err != nil {
			return err
		}
		select {
		case done <- pc:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return w.Close(ctx)
}

// cut turns the bytes of a piece into entries.
func cut(ctx context.Context, s *store.Store, w *store.Writer, pc *piece, rest image.Rest) error {
	params := s.Config().Chunks
	at := 0
	for _, e := range pc.extents {
		data := (*pc.buf)[at : at+int(e.Length)]
		at += int(e.Length)
		for off := e.Start; len(data) > 0; {
			n, zero := params.Next(data)
			en := entry{Entry: image.Entry{Offset: off, Length: int64(n), Zero: zero}}
			if !zero {
				var err error
				if en.ID, en.place, _, err = w.Put(ctx, data[:n]); err != nil {
					return err
				}
			}
			if !zero || rest == image.Free {
				pc.entries = append(pc.entries, en)
			}
			off, data = off+int64(n), data[n:]
		}
	}
	return nil
}
