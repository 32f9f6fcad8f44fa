// Package verify proves that images, disks and stores are what they should be.
//
// Image checks one image in its store, Disk compares a disk with an image, Store
// checks everything in a store. All of them look on after the first damage and
// return it as one typed error; any other error means that nothing was proved.
package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// DamageError lists what is damaged or missing.
type DamageError struct {
	What string // "image lab:v2", "store"
	Bad  []error
}

func (e *DamageError) Error() string {
	const most = 20
	lines := []string{fmt.Sprintf("%s is damaged in %d places:", e.What, len(e.Bad))}
	for i, err := range e.Bad {
		if i == most {
			lines = append(lines, fmt.Sprintf("and %d more", len(e.Bad)-most))
			break
		}
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

func (e *DamageError) Unwrap() []error { return e.Bad }

// damages collects damage from several goroutines.
type damages struct {
	mu  sync.Mutex
	bad []error
}

func (d *damages) add(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bad = append(d.bad, err)
}

// keep returns err when it says that nothing can be proved, and otherwise
// remembers it as damage.
func (d *damages) keep(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	var integrity *store.IntegrityError
	var chunk *store.ChunkError
	if errors.As(err, &integrity) || errors.As(err, &chunk) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrShort) {
		d.add(err)
		return nil
	}
	return err
}

func (d *damages) error(what string) error {
	if len(d.bad) == 0 {
		return nil
	}
	return &DamageError{what, d.bad}
}

// Image checks that every byte an image needs is in the store as it was written:
// its maps and the packs they lead to hash to their names. It returns a
// *DamageError when not. deep unpacks every chunk and checks it against its ID
// as well.
func Image(ctx context.Context, s *store.Store, what string, m *image.Manifest, deep bool, work *progress.Work) error {
	var d damages
	packs, err := content.Packs(ctx, s, m, func(err error) error { return d.keep(ctx, err) })
	if err != nil {
		return err
	}
	if err := readPacks(ctx, s, packs, &d, work); err != nil {
		return err
	}
	if deep {
		if err := unpack(ctx, s, m, &d, work); err != nil {
			return err
		}
	}
	return d.error(what)
}

// readPacks reads packs and checks them against their names.
func readPacks(ctx context.Context, s *store.Store, packs []chunk.ID, d *damages, work *progress.Work) error {
	stage := work.Count("packs", "packs", int64(len(packs)))
	todo := make(chan chunk.ID)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		for _, id := range packs {
			select {
			case todo <- id:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error {
			for id := range todo {
				if _, err := s.Pack(ctx, id); err != nil {
					if err := d.keep(ctx, err); err != nil {
						return err
					}
				}
				stage.Add(1)
			}
			return nil
		})
	}
	return g.Wait()
}

// unpack reads every chunk of the image as a deploy would.
//
// A map that cannot be read ends its region only; content.Packs has told of it.
func unpack(ctx context.Context, s *store.Store, m *image.Manifest, d *damages, work *progress.Work) error {
	src := content.NewStored(s, m)
	var stages []*progress.Stage
	for _, r := range m.Regions {
		stages = append(stages, work.Region(r.Title(), r.Data, r.Volume == nil))
	}
	var told damages
	for i, r := range m.Regions {
		place := content.Place{Region: i, At: r.Start, Size: r.Size}
		if err := told.keep(ctx, unpackRegion(ctx, src, place, d, stages[i])); err != nil {
			return err
		}
	}
	return nil
}

func unpackRegion(ctx context.Context, src content.Source, place content.Place, d *damages, stage *progress.Stage) error {
	return content.Each(ctx, src, []content.Place{place}, func(f content.Fetcher) content.Worker {
		buf := make([]byte, image.PieceSpan)
		return func(ctx context.Context, t content.Task) error {
			if err := content.FetchAhead(ctx, f, t.Piece.Region, t.Piece.Entries); err != nil {
				return err
			}
			for _, e := range t.Piece.Entries {
				if e.Zero {
					continue
				}
				if err := d.keep(ctx, f.Fetch(ctx, t.Piece.Region, e, buf[:e.Length])); err != nil {
					return err
				}
			}
			stage.Add(t.Piece.Data())
			return nil
		}
	})
}
