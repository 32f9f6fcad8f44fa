package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// stretch is one segment of map at its place. Images share many of them.
type stretch struct {
	id          chunk.ID
	start, size int64 // of the segment, and of its region
}

// checkImages follows every image from its manifest to the tables of contents of
// its packs.
func (c *checker) checkImages(ctx context.Context) error {
	ids := slices.SortedFunc(maps.Keys(c.names), func(a, b chunk.ID) int { return slices.Compare(a[:], b[:]) })
	c.report.Images = len(ids)
	stage := c.work.Count("images", "images", int64(len(ids)))
	for _, id := range ids {
		if err := c.checkImage(ctx, id, c.names[id]); err != nil {
			return fmt.Errorf("image %s: %w", c.names[id][0], err)
		}
		stage.Add(1)
	}
	c.report.Maps = len(c.maps)
	return nil
}

func (c *checker) checkImage(ctx context.Context, id chunk.ID, names []string) error {
	key := "manifests/" + id.String()
	data, err := c.store.Manifest(ctx, id)
	if err, ok := asDamage(ctx, key, "image "+names[0]+" cannot be used without it", err); ok {
		c.hidden = true
		c.add(err, names...)
		return nil
	}
	if err != nil {
		return err
	}
	m, err := image.Parse(data)
	if err == nil && m.Hash != c.store.Hash() {
		err = fmt.Errorf("it uses %v, the store %v", m.Hash, c.store.Hash())
	}
	if err != nil {
		c.hidden = true
		c.add(&store.IntegrityError{Key: key, Offset: -1, Why: err.Error()}, names...)
		return nil
	}
	for _, r := range m.Regions {
		for _, ref := range r.Map {
			met, err := c.meets(ctx, stretch{ref.ID, ref.Start, r.Size})
			if err != nil {
				return err
			}
			for _, d := range met {
				d.touches(names)
			}
		}
	}
	return nil
}

// asDamage turns the error of reading an object into damage; false when it is
// none, or says that nothing can be proved.
func asDamage(ctx context.Context, key, without string, err error) (error, bool) {
	var damage *store.IntegrityError
	switch {
	case err == nil || ctx.Err() != nil:
		return nil, false
	case errors.Is(err, store.ErrNotFound):
		return missingError(key, without), true
	case errors.As(err, &damage):
		return damage, true
	case errors.Is(err, store.ErrShort):
		return &store.IntegrityError{Key: key, Offset: -1, Why: "is cut off"}, true
	}
	return nil, false
}

// meets returns the damage that an image with the stretch meets. Each stretch is
// read once.
func (c *checker) meets(ctx context.Context, s stretch) ([]*Damage, error) {
	if met, ok := c.checked[s]; ok {
		return met, nil
	}
	c.maps[s.id] = true
	met, err := c.checkMap(ctx, s)
	c.checked[s] = met
	return met, err
}

func (c *checker) checkMap(ctx context.Context, s stretch) ([]*Damage, error) {
	key := "maps/" + s.id.String()
	data, err := c.store.Map(ctx, s.id)
	if err, ok := asDamage(ctx, key, "images need it", err); ok {
		c.hidden = true
		return []*Damage{c.add(err)}, nil
	}
	if err != nil {
		return nil, err
	}
	segment, err := image.ParseSegment(data, s.start, s.size)
	if err != nil {
		c.hidden = true
		return []*Damage{c.add(&store.IntegrityError{Key: key, Offset: -1, Why: err.Error()})}, nil
	}
	met := map[*Damage]bool{}
	for _, e := range segment.Entries {
		if e.Zero {
			continue
		}
		p, err := c.locate(ctx, e)
		if err != nil {
			return nil, err
		}
		if p == nil {
			met[c.lose(key, e)] = true
			continue
		}
		for _, d := range p.damage {
			met[d] = true
		}
	}
	return slices.SortedFunc(maps.Keys(met), compareDamage), nil
}

// lose records that a chunk lies nowhere: once for the pack that should have it.
func (c *checker) lose(mapKey string, e image.Entry) *Damage {
	if d := c.lost[e.At.Pack]; d != nil {
		return d
	}
	key := "packs/" + e.At.Pack.String()
	err := missingError(key, fmt.Sprintf("chunk %s of %s, perhaps among others, is in no other pack", e.ID.Short(), mapKey))
	if c.packs[e.At.Pack] != nil {
		err = &store.IntegrityError{Key: key, Offset: int64(e.At.Offset), Why: fmt.Sprintf("chunk %s of %s is not there, and in no other pack", e.ID.Short(), mapKey)}
	}
	c.lost[e.At.Pack] = c.add(err)
	return c.lost[e.At.Pack]
}

// locate returns the pack in which a reader finds a chunk: where its map says,
// else where the index says; nil when there is none.
func (c *checker) locate(ctx context.Context, e image.Entry) (*packState, error) {
	if p, ok, err := c.liesAt(ctx, e.ID, e.At); ok || err != nil {
		return p, err
	}
	at, ok, err := c.locator.Find(e.ID)
	if !ok || err != nil {
		return nil, err
	}
	p, _, err := c.liesAt(ctx, e.ID, at)
	return p, err
}

// liesAt looks into the table of contents of a pack. What a damaged pack holds is
// taken from the map's word: the damage is known already.
func (c *checker) liesAt(ctx context.Context, id chunk.ID, at pack.Location) (*packState, bool, error) {
	p := c.packs[at.Pack]
	if p == nil {
		return nil, false, nil
	}
	if len(p.damage) == 0 {
		frames, err := c.tocs.get(ctx, c.store, at.Pack, p.size)
		if errors.Is(err, store.ErrNotFound) { // a clean-up has deleted it, after it moved what is needed
			return nil, false, c.listPacks(ctx)
		}
		if err := c.keep(ctx, p, err); err != nil {
			return nil, false, err
		}
		if len(p.damage) == 0 && !holds(frames, id, at) {
			return nil, false, nil
		}
	}
	p.used = true
	return p, true, nil
}

// holds reports whether the chunk lies where at says.
func holds(frames []pack.Frame, id chunk.ID, at pack.Location) bool {
	i, ok := slices.BinarySearchFunc(frames, at.Offset, func(f pack.Frame, off uint32) int { return cmp.Compare(f.Offset, off) })
	if !ok {
		return false
	}
	f := frames[i]
	j, ok := slices.BinarySearchFunc(f.Chunks, at.Inside, func(c pack.Chunk, off uint32) int { return cmp.Compare(c.Offset, off) })
	return ok && f.Stored == at.Stored && f.Plain == at.Plain && f.Codec == at.Codec &&
		f.Chunks[j].ID == id && f.Chunks[j].Length == at.Length
}
