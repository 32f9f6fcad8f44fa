// Package replicate copies an image from one store into another.
//
// Image copies whole objects, checked against their names as they are read, in
// the order that keeps a store sound: packs, maps, manifest, name. The image
// keeps its ID. What is there already is not copied again, so a copy that was
// interrupted goes on where it stopped. Nothing is unpacked: the stores must use
// the same hash function. It never writes to the store it copies from.
package replicate

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Result is what a copy did.
type Result struct {
	Name   store.Name
	There  bool  // the image had this name in the destination before; nothing was done
	Packs  int   // copied
	Bytes  int64 // of these packs
	Before int   // packs that were there
	Maps   int   // of the image
}

// HashError says that the stores name chunks by different hash functions.
type HashError struct{ From, To chunk.Hash }

func (e *HashError) Error() string {
	return fmt.Sprintf("the image is hashed with %v and the destination uses %v; copy it to a new store, or capture the disk into that one", e.From, e.To)
}

// TakenError says that the name stands for another image in the destination.
type TakenError struct{ Name store.Name }

func (e *TakenError) Error() string {
	return fmt.Sprintf("in the destination %s is another image, %s", e.Name, e.Name.Image.Short())
}

// Image copies img and names it as says there; with an empty Tag it becomes the
// next version of Name. Errors: *HashError, *TakenError, *store.CondemnedError,
// and what tells of damage in from.
func Image(ctx context.Context, from, to *store.Store, img catalog.Image, as store.Name, work *progress.Work) (Result, error) {
	if from.Hash() != to.Hash() {
		return Result{}, &HashError{from.Hash(), to.Hash()}
	}
	as.Image = img.ID
	there, err := named(ctx, to, as)
	if there || err != nil {
		return Result{Name: as, There: there}, err
	}
	ses, err := to.Begin(ctx, "copy of "+img.Name())
	if err != nil {
		return Result{}, err
	}
	c := &copier{from: from, to: to, ses: ses, work: work}
	err = c.run(ctx, img, as)
	return c.result, errors.Join(err, ses.Close(ctx))
}

// named reports whether the name stands for its image; *TakenError when for another.
func named(ctx context.Context, s *store.Store, as store.Name) (there bool, err error) {
	var other error
	err = s.Names(ctx, func(have store.Name, damage error) error {
		switch {
		case as.Tag == "" || have.Name != as.Name || have.Tag != as.Tag:
		case damage != nil:
			other = damage
		case have.Image != as.Image:
			other = &TakenError{have}
		default:
			there = true
		}
		return nil
	})
	return there, errors.Join(err, other)
}

// copier is one run of Image.
type copier struct {
	from, to *store.Store
	ses      *store.Session // in to
	work     *progress.Work
	result   Result
}

func (c *copier) run(ctx context.Context, img catalog.Image, as store.Name) error {
	packs, err := content.Packs(ctx, c.from, img.Manifest, func(err error) error { return err })
	if err != nil {
		return err
	}
	if err := c.copyPacks(ctx, packs); err != nil {
		return err
	}
	if err := c.ses.Sync(ctx); err != nil {
		return err
	}
	if err := c.copyMaps(ctx, img.Manifest); err != nil {
		return err
	}
	manifest, err := c.from.Manifest(ctx, img.ID)
	if err != nil {
		return err
	}
	_, err = c.ses.Publish(ctx, manifest, func(id chunk.ID) (key string, err error) {
		c.result.Name = as
		if as.Put.IsZero() {
			key, c.result.Name, err = catalog.Put(ctx, c.to, as.Name, as.Tag, id)
			return key, err
		}
		return c.to.PutName(ctx, as)
	})
	return err
}

// copyPacks hands every pack that is not in the destination to the session. It
// reads one while the session stores the one before.
func (c *copier) copyPacks(ctx context.Context, packs []chunk.ID) error {
	todo, bytes, err := c.missing(ctx, packs)
	if err != nil {
		return err
	}
	c.result.Before = len(packs) - len(todo)
	stage := c.work.Stage("packs", bytes)
	for _, id := range todo {
		data, err := c.from.Pack(ctx, id)
		if err != nil {
			return err
		}
		n := int64(len(data))
		if err := c.ses.AddPack(ctx, data); err != nil {
			return err
		}
		stage.Add(n)
		c.result.Packs++
		c.result.Bytes += n
		c.work.Stored.Add(n)
	}
	return nil
}

// missing returns those of the packs that the destination does not have at their
// whole length, and their bytes.
func (c *copier) missing(ctx context.Context, packs []chunk.ID) (todo []chunk.ID, bytes int64, err error) {
	sizes, err := packSizes(ctx, c.from)
	if err != nil {
		return nil, 0, err
	}
	have, err := packSizes(ctx, c.to)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range packs {
		if c.ses.HasPack(id) && have[id] == sizes[id] {
			continue
		}
		todo, bytes = append(todo, id), bytes+sizes[id]
	}
	return todo, bytes, nil
}

func packSizes(ctx context.Context, s *store.Store) (map[chunk.ID]int64, error) {
	sizes := map[chunk.ID]int64{}
	err := s.Packs(ctx, func(id chunk.ID, o store.Object) error {
		sizes[id] = o.Size
		return nil
	})
	return sizes, err
}

func (c *copier) copyMaps(ctx context.Context, m *image.Manifest) error {
	for _, r := range m.Regions {
		for _, ref := range r.Map {
			data, err := c.from.Map(ctx, ref.ID)
			if err != nil {
				return fmt.Errorf("map of %s: %w", r.Title(), err)
			}
			if _, err := c.ses.AddMap(ctx, data); err != nil {
				return fmt.Errorf("map of %s: %w", r.Title(), err)
			}
			c.result.Maps++
		}
	}
	return nil
}
