package content

import (
	"context"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Place says where a region of a Source lies on a disk.
type Place struct {
	Region int   // index into Source.Regions
	At     int64 // bytes from the start of the disk
	Size   int64 // of the region on this disk; what lies behind it is left alone
}

// Task is one piece at its place.
type Task struct {
	Place int // index into the places
	Piece Piece
}

// Worker does tasks; each belongs to one goroutine.
type Worker func(ctx context.Context, t Task) error

// Workers beyond one for each processor keep the disk busy while others compute.
// Each holds up to two pieces in memory, so their number is bounded.
const (
	mostBusy = 8
	waiting  = 2
)

// Each hands the pieces of all places, in disk order, to a few workers.
// newWorker is called once for each of them.
func Each(ctx context.Context, src Source, places []Place, newWorker func(Fetcher) Worker) error {
	g, ctx := errgroup.WithContext(ctx)
	tasks := make(chan Task)
	g.Go(func() error {
		defer close(tasks)
		return feed(ctx, src, places, tasks)
	})
	for range min(runtime.GOMAXPROCS(0), mostBusy) + waiting {
		g.Go(func() error {
			fetcher, err := src.Fetcher()
			if err != nil {
				return err
			}
			defer fetcher.Close()
			work := newWorker(fetcher)
			for t := range tasks {
				if err := work(ctx, t); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return g.Wait()
}

func feed(ctx context.Context, src Source, places []Place, tasks chan<- Task) error {
	for i, place := range places {
		err := src.Pieces(ctx, place.Region, func(p Piece) error {
			p.Span = p.Span.Intersect(extent.Extent{Length: place.Size})
			if n := len(p.Entries); n > 0 && p.Entries[n-1].Offset+p.Entries[n-1].Length > p.Span.End() {
				return fmt.Errorf("%s: its map reaches behind the %d bytes there are for it", src.Regions()[place.Region].Title(), place.Size)
			}
			if p.Span.Length == 0 {
				return nil
			}
			select {
			case tasks <- Task{i, p}:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
