// Package inventory counts what a store holds, and what each image adds to it.
//
// Look is the one entry. It reads names, manifests and maps, never packs, and
// judges nothing: what it cannot read it leaves out and returns as damage. Its
// memory is bounded whatever the store's size; of a large store it looks at a
// sample of the chunks.
package inventory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Inventory is what a store holds.
type Inventory struct {
	Kinds []Kind `json:"kinds"` // by name
	Total Kind   `json:"total"`

	Data   int64 `json:"dataBytes"`   // plain bytes of all images, without zeros
	Unique int64 `json:"uniqueBytes"` // of these, bytes of different chunks
	Packed int64 `json:"packedBytes"` // what those chunks take in packs
	// Estimated says that Unique, Packed and each image's Own come from a sample:
	// they are right to about a thousandth.
	Estimated bool    `json:"estimated"`
	Images    []Image `json:"images"` // newest first
}

// Kind is a kind of object by the first part of its key.
type Kind struct {
	Name    string `json:"name"`
	Objects int    `json:"objects"`
	Bytes   int64  `json:"bytes"`
}

// Image is what one image adds to the store.
type Image struct {
	ID    chunk.ID `json:"id"`
	Names []string `json:"names"`
	Data  int64    `json:"dataBytes"` // plain, without zeros
	// Own is what no other image uses, as it lies in the store: what removing the
	// image lets a clean-up free.
	Own int64 `json:"ownBytes"`
}

// Look counts. damage are the names, manifests and maps that could not be read.
func Look(ctx context.Context, s *store.Store, work *progress.Work) (inv Inventory, damage, err error) {
	images, damage, err := catalog.List(ctx, s)
	if err != nil {
		return inv, nil, err
	}
	sizes, err := inv.list(ctx, s)
	if err != nil {
		return inv, nil, err
	}
	t := newTally(len(images), sizes)
	for n, img := range images {
		i := Image{ID: img.ID, Own: sizes["manifests/"+img.ID.String()]}
		for _, name := range img.Names {
			i.Names = append(i.Names, name.String())
		}
		for r := range img.Manifest.Regions {
			region := &img.Manifest.Regions[r]
			i.Data += region.Data - region.Zero
			t.claim(region, owner(n))
		}
		inv.Data += i.Data
		inv.Images = append(inv.Images, i)
	}
	unread, err := t.readMaps(ctx, s, work)
	if err != nil {
		return inv, nil, err
	}
	for n := range inv.Images {
		inv.Images[n].Own += t.own[n]
	}
	inv.Unique, inv.Packed, inv.Estimated = t.unique, t.packed, t.sample > 1
	return inv, errors.Join(damage, unread), nil
}

// list counts objects by kind and returns the sizes of manifests and maps.
func (inv *Inventory) list(ctx context.Context, s *store.Store) (map[string]int64, error) {
	sizes := map[string]int64{}
	kinds := map[string]*Kind{}
	err := s.Backend().List(ctx, "", func(o store.Object) error {
		name, _, below := strings.Cut(o.Key, "/")
		if name == "maps" || name == "manifests" {
			sizes[o.Key] = o.Size
		}
		if !below && name != "config" {
			return nil // somebody else's file
		}
		if kinds[name] == nil {
			kinds[name] = &Kind{Name: name}
		}
		kinds[name].Objects++
		kinds[name].Bytes += o.Size
		return nil
	})
	inv.Total.Name = "total"
	for _, k := range kinds {
		inv.Kinds = append(inv.Kinds, *k)
		inv.Total.Objects += k.Objects
		inv.Total.Bytes += k.Bytes
	}
	slices.SortFunc(inv.Kinds, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	if err != nil {
		return nil, fmt.Errorf("list the store: %w", err)
	}
	return sizes, nil
}

// owner is the image that uses something, by its number, or shared.
type owner int32

const shared owner = -1

// join is the owner of what both use.
func (o owner) join(p owner) owner {
	if o != p {
		return shared
	}
	return o
}

// stretch is a segment of map at its place.
type stretch struct {
	region *image.Region
	ref    image.SegmentRef
	owner  owner
}

// read returns the segment.
func (st stretch) read(ctx context.Context, s *store.Store) (*image.Segment, error) {
	return content.Segment(ctx, s, st.region, st.ref)
}
