package verify

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// packState is what is known of a pack in the store.
type packState struct {
	size   int64
	used   bool      // an image refers to it
	damage []*Damage // of it
}

// checkPacks lists the packs and checks each by itself.
func (c *checker) checkPacks(ctx context.Context) error {
	if err := c.listPacks(ctx); err != nil {
		return err
	}
	total := int64(0)
	for _, p := range c.packs {
		total += p.size
	}
	c.report.Packs = len(c.packs)
	stage := c.work.Count("packs", "packs", int64(len(c.packs)))
	if c.readData {
		stage = c.work.Stage("packs", total)
	}
	todo := make(chan chunk.ID)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(todo)
		for id := range c.packs {
			select {
			case todo <- id:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range runtime.GOMAXPROCS(0) {
		g.Go(func() error { return c.checkSome(ctx, todo, stage) })
	}
	return g.Wait()
}

// listPacks looks which packs there are now, and keeps what is known of them.
func (c *checker) listPacks(ctx context.Context) error {
	packs := map[chunk.ID]*packState{}
	err := c.store.Packs(ctx, func(id chunk.ID, o store.Object) error {
		packs[id] = c.packs[id]
		if packs[id] == nil {
			packs[id] = &packState{size: o.Size}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.packs = packs
	c.locator, _, err = c.store.NewLocator(ctx, nil) // damaged indexes come with the aids
	return err
}

// checkSome checks packs until todo is closed.
func (c *checker) checkSome(ctx context.Context, todo <-chan chunk.ID, stage *progress.Stage) error {
	dec, err := pack.NewDecoder()
	if err != nil {
		return err
	}
	defer dec.Close()
	for id := range todo {
		p := c.packs[id]
		if !c.readData {
			_, err = c.store.TOC(ctx, id, p.size)
			stage.Add(1)
		} else {
			err = c.store.CheckPack(ctx, id, dec, func(err error) { c.packDamage(p, err) })
			stage.Add(p.size)
		}
		if err := c.keep(ctx, p, err); err != nil {
			return fmt.Errorf("pack %s: %w", id.Short(), err)
		}
	}
	return nil
}

// keep records err as damage of a pack, unless it says that nothing can be
// proved. A pack that a clean-up has deleted meanwhile is no damage by itself.
func (c *checker) keep(ctx context.Context, p *packState, err error) error {
	var damage *store.IntegrityError
	switch {
	case err == nil, errors.Is(err, store.ErrNotFound):
		return nil
	case ctx.Err() == nil && (errors.As(err, &damage) || errors.Is(err, store.ErrShort)):
		c.packDamage(p, err)
		return nil
	}
	return err
}

func (c *checker) packDamage(p *packState, err error) {
	d := c.add(err)
	c.mu.Lock()
	defer c.mu.Unlock()
	p.damage = append(p.damage, d)
}
