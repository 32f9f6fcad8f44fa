package content

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Needs are the objects of a store that a reader of one image reads, as of when they
// were found: a server gives them, and no others, to a machine that is to get the
// image. A pack among them may hold chunks of other images too.
type Needs struct {
	manifest    chunk.ID
	maps, packs map[chunk.ID]bool
	names       map[string]bool
}

// FindNeeds looks at the whole map of an image, which takes about a second for each
// 200 GB of it. What is damaged does not stop it: whoever reads the image is told.
func FindNeeds(ctx context.Context, s *store.Store, id chunk.ID) (*Needs, error) {
	data, err := s.Manifest(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", id.Short(), err)
	}
	m, err := image.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("image %s: %w", id.Short(), err)
	}
	n := &Needs{manifest: id, maps: map[chunk.ID]bool{}, packs: map[chunk.ID]bool{}, names: map[string]bool{}}
	err = s.Names(ctx, func(name store.Name, damage error) error {
		if damage == nil && name.Image == id {
			n.names[name.Key()] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, r := range m.Regions {
		for _, ref := range r.Map {
			n.maps[ref.ID] = true
		}
	}
	packs, err := Packs(ctx, s, m, onlyDamage)
	for _, id := range packs {
		n.packs[id] = true
	}
	return n, err
}

// onlyDamage passes over what is wrong with one object.
func onlyDamage(err error) error {
	var damage *store.IntegrityError
	var lost *store.ChunkError
	if errors.As(err, &damage) || errors.As(err, &lost) || errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// Has reports whether the object is needed. Every index is: it says where a chunk
// lies that a clean-up has moved since the image was made.
func (n *Needs) Has(key string) bool {
	switch kind, id, _ := store.ParseKey(key); kind {
	case store.ManifestKind:
		return id == n.manifest
	case store.MapKind:
		return n.maps[id]
	case store.PackKind:
		return n.packs[id]
	}
	return key == store.ConfigKey || n.names[key] || strings.HasPrefix(key, store.IndexPrefix)
}
