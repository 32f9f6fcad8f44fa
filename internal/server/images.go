package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/inventory"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// images are the images of a store as control wants them.
type images struct {
	store *store.Store
	// lint looks an image over; it runs the program itself, since that takes mounts.
	lint func(ctx context.Context, id string) (json.RawMessage, error)

	mu     sync.Mutex
	owned  map[chunk.ID]int64 // what each image alone uses, when it was last counted
	ofSet  string             // which images were there then
	counts bool               // it is being counted
}

// List implements control.Images.
func (i *images) List(ctx context.Context) ([]control.Image, []string, error) {
	all, damage, err := catalog.List(ctx, i.store)
	if err != nil {
		return nil, nil, err
	}
	owned := i.own(ctx, all)
	list := make([]control.Image, 0, len(all))
	for _, img := range all {
		list = append(list, describe(img, owned))
	}
	var words []string
	if damage != nil {
		words = []string{damage.Error()}
	}
	return list, words, nil
}

// own returns what each image alone uses. It is counted anew in the background when
// the images are others, since that reads every map.
func (i *images) own(ctx context.Context, all []catalog.Image) map[chunk.ID]int64 {
	set := ""
	for _, img := range all {
		set += img.ID.String()
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if set != i.ofSet && !i.counts {
		i.counts = true
		go i.count(context.WithoutCancel(ctx), set)
	}
	return i.owned
}

// countFor bounds one count; a store that takes longer is counted by 'ingot stats'.
const countFor = 10 * time.Minute

func (i *images) count(ctx context.Context, set string) {
	ctx, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	found, _, err := inventory.Look(ctx, i.store, &progress.Work{Verb: "stats"})
	owned := map[chunk.ID]int64{}
	for _, img := range found.Images {
		owned[img.ID] = img.Own
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.counts, i.ofSet = false, set
	if err == nil {
		i.owned = owned
	}
}

// Find implements control.Images.
func (i *images) Find(ctx context.Context, ref string) (control.Image, error) {
	img, err := i.find(ctx, ref)
	if err != nil {
		return control.Image{}, err
	}
	named, err := catalog.Names(ctx, i.store, img.ID.String())
	if err == nil {
		img.Names = named.Names
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	return describe(img, i.owned), nil
}

func (i *images) find(ctx context.Context, ref string) (catalog.Image, error) {
	img, err := catalog.Find(ctx, i.store, ref)
	var several *catalog.AmbiguousError
	switch {
	case errors.As(err, new(*catalog.NotFoundError)):
		err = &control.NotFoundError{What: "image", ID: ref}
	case errors.As(err, &several):
		err = &control.InvalidError{Field: "image", Message: several.Error()}
	}
	return img, err
}

// Tag implements control.Images.
func (i *images) Tag(ctx context.Context, ref, name string) (string, error) {
	base, tag, err := store.ParseName(name)
	if err != nil {
		return "", &control.InvalidError{Field: "name", Message: err.Error()}
	}
	img, err := i.find(ctx, ref)
	if err != nil {
		return "", err
	}
	n, err := catalog.Tag(ctx, i.store, img.ID.String(), base, tag)
	if errors.Is(err, store.ErrExists) {
		err = &control.ConflictError{Message: fmt.Sprintf("%s:%s exists already; choose another tag", base, tag)}
	}
	return n.String(), err
}

// Remove implements control.Images.
func (i *images) Remove(ctx context.Context, name string) error {
	base, tag, err := store.ParseName(name)
	if err != nil || tag == "" {
		return &control.InvalidError{Field: "name", Message: fmt.Sprintf("%q names no version; write name:tag", name)}
	}
	named, err := catalog.Names(ctx, i.store, name)
	at := slices.IndexFunc(named.Names, func(n store.Name) bool { return n.Name == base && n.Tag == tag })
	if errors.As(err, new(*catalog.NotFoundError)) || err == nil && at < 0 {
		return &control.NotFoundError{What: "image", ID: name}
	}
	if err != nil {
		return err
	}
	return i.store.RemoveName(ctx, named.Names[at])
}

// Lint implements control.Images.
func (i *images) Lint(ctx context.Context, id string) (json.RawMessage, error) {
	return i.lint(ctx, id)
}

// describe is an image as a server shows it.
func describe(img catalog.Image, owned map[chunk.ID]int64) control.Image {
	m := img.Manifest
	out := control.Image{
		ID: img.ID.String(), Created: m.Created, Host: m.Host, Comment: m.Note,
		Disk: m.Disk.Size, Sector: m.Disk.SectorSize, Data: m.Data(), Own: -1, Least: least(m),
	}
	if n, ok := owned[img.ID]; ok {
		out.Own = n
	}
	for _, n := range img.Names {
		out.Names = append(out.Names, n.String())
	}
	if m.Table != nil {
		out.Table = string(m.Table.Kind)
	}
	for _, r := range m.Regions {
		if r.Volume == nil || r.Role == image.Listing {
			continue
		}
		v := r.Volume
		out.Volumes = append(out.Volumes, control.ImageVolume{
			Partition: r.Partition, Kind: v.Kind, Label: v.Label, Size: cmp.Or(v.Size, r.Size), Used: v.Used, Files: r.Role != image.Blocks,
		})
		out.Shrinks = out.Shrinks || r.Role != image.Blocks || slices.Contains(shrinks(), v.Kind)
	}
	return out
}

// least is the smallest disk that takes the image as it is.
func least(m *image.Manifest) int64 {
	if m.Table != nil {
		return m.Table.MinDiskSize()
	}
	return m.Disk.Size
}

// shrinks are the kinds of volumes that a deploy makes smaller or anew.
func shrinks() []string { return []string{"ext2", "ext3", "ext4", "btrfs", "ntfs", "xfs"} }
