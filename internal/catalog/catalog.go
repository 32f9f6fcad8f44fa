// Package catalog finds images by the names that people give them.
//
// It owns what 'name', 'name:tag' and an ID prefix mean, which tag a new version
// gets, and what a name is. An image lives as long as one name stands for it.
package catalog

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Image is an image with the names that stand for it.
type Image struct {
	ID       chunk.ID
	Names    []store.Name // newest first; never empty
	Manifest *image.Manifest
}

// Name is the image's newest name.
func (i Image) Name() string { return i.Names[0].String() }

// NotFoundError says that nothing is called like that.
type NotFoundError struct{ Ref string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no image %q in the store; 'ingot images' lists what there is", e.Ref)
}

// AmbiguousError says that an ID prefix fits several images.
type AmbiguousError struct {
	Ref string
	IDs []chunk.ID
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("%q stands for %d images, %s and %s among them; give more digits", e.Ref, len(e.IDs), e.IDs[0].Short(), e.IDs[1].Short())
}

// minPrefix is how many hex digits an ID prefix has at least.
const minPrefix = 6

// List returns the images that have a name, newest first. Names that cannot be
// read, and names whose manifest cannot, are returned joined as damage.
func List(ctx context.Context, s *store.Store) (images []Image, damage error, err error) {
	byID := map[chunk.ID]*Image{}
	err = s.Names(ctx, func(n store.Name, bad error) error {
		if bad != nil {
			damage = errors.Join(damage, fmt.Errorf("name %s: %w", n, bad))
			return nil
		}
		if byID[n.Image] == nil {
			byID[n.Image] = &Image{ID: n.Image}
		}
		byID[n.Image].Names = append(byID[n.Image].Names, n)
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, i := range byID {
		slices.SortFunc(i.Names, newestFirst)
		if i.Manifest, err = Manifest(ctx, s, i.ID); err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			damage = errors.Join(damage, fmt.Errorf("image %s: %w", i.Name(), err))
			continue
		}
		images = append(images, *i)
	}
	slices.SortFunc(images, func(a, b Image) int {
		return cmp.Or(b.Manifest.Created.Compare(a.Manifest.Created), newestFirst(a.Names[0], b.Names[0]))
	})
	return images, damage, nil
}

func newestFirst(a, b store.Name) int {
	return cmp.Or(b.Put.Compare(a.Put), cmp.Compare(b.Name, a.Name), compareTags(b.Tag, a.Tag))
}

// compareTags orders v10 behind v9.
func compareTags(a, b string) int {
	x, xok := version(a)
	y, yok := version(b)
	if xok && yok {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

func version(tag string) (int, bool) {
	digits, ok := strings.CutPrefix(tag, "v")
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0
}

// Manifest reads and checks one manifest.
func Manifest(ctx context.Context, s *store.Store, id chunk.ID) (*image.Manifest, error) {
	data, err := s.Manifest(ctx, id)
	if err != nil {
		return nil, err
	}
	m, err := image.Parse(data)
	if err != nil {
		return nil, err
	}
	if m.Hash != s.Hash() {
		return nil, fmt.Errorf("manifest uses %v, the store %v", m.Hash, s.Hash())
	}
	return m, nil
}

// Find returns the image that ref stands for: a name:tag, a name (its newest
// version), or the first digits of an ID. A name goes before an ID. Errors:
// *NotFoundError, *AmbiguousError.
func Find(ctx context.Context, s *store.Store, ref string) (Image, error) {
	names, err := byName(ctx, s, ref)
	if err == nil && len(names) == 0 && isPrefix(ref) {
		names, err = byID(ctx, s, ref)
	}
	if err != nil {
		return Image{}, err
	}
	if len(names) == 0 {
		return Image{}, &NotFoundError{ref}
	}
	slices.SortFunc(names, newestFirst)
	id := names[0].Image
	m, err := Manifest(ctx, s, id)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", ref, err)
	}
	return Image{id, slices.DeleteFunc(names, func(n store.Name) bool { return n.Image != id }), m}, nil
}

// byName returns the names that ref spells. One of them that cannot be read is
// an error: it may be the newest.
func byName(ctx context.Context, s *store.Store, ref string) (names []store.Name, err error) {
	name, tag, err := store.ParseName(ref)
	if err != nil {
		return nil, nil // it may still be an ID
	}
	err = s.Names(ctx, func(n store.Name, damage error) error {
		if n.Name != name || tag != "" && n.Tag != tag {
			return nil
		}
		names = append(names, n)
		return damage
	})
	return names, err
}

// byID returns the names of the one image whose ID begins with ref.
func byID(ctx context.Context, s *store.Store, ref string) (names []store.Name, err error) {
	ids := map[chunk.ID]bool{}
	err = s.Names(ctx, func(n store.Name, damage error) error {
		if damage == nil && strings.HasPrefix(n.Image.String(), ref) {
			names = append(names, n)
			ids[n.Image] = true
		}
		return nil
	})
	if err == nil && len(ids) > 1 {
		err = &AmbiguousError{ref, slices.Collect(maps.Keys(ids))}
	}
	return names, err
}

func isPrefix(ref string) bool {
	return len(ref) >= minPrefix && strings.Trim(ref, "0123456789abcdef") == ""
}

// Put makes name:tag stand for the image. With an empty tag the next free one of
// v1, v2, ... is taken. It returns the key, for store.Session.Publish, and the
// name; the error is store.ErrExists when a given tag is taken.
func Put(ctx context.Context, s *store.Store, name, tag string, id chunk.ID) (key string, n store.Name, err error) {
	n = store.Name{Name: name, Tag: tag, Image: id, Put: time.Now().UTC()}
	if tag != "" {
		key, err = s.PutName(ctx, n)
		return key, n, err
	}
	last := 0
	err = s.Names(ctx, func(have store.Name, _ error) error {
		if v, ok := version(have.Tag); ok && have.Name == name {
			last = max(last, v)
		}
		return nil
	})
	for err == nil {
		last++
		n.Tag = "v" + strconv.Itoa(last)
		key, err = s.PutName(ctx, n)
		if !errors.Is(err, store.ErrExists) {
			return key, n, err
		}
		err = ctx.Err() // another capture was faster: try the next one
	}
	return "", n, err
}

// Taken reports whether name:tag stands for something.
func Taken(ctx context.Context, s *store.Store, name, tag string) (bool, error) {
	taken := false
	err := s.Names(ctx, func(n store.Name, _ error) error {
		taken = taken || n.Name == name && n.Tag == tag
		return nil
	})
	return taken, err
}
