package store

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// Name is a name that stands for an image: "lab:v2".
type Name struct {
	Name  string    `json:"name"`
	Tag   string    `json:"tag"`
	Image chunk.ID  `json:"image"`
	Put   time.Time `json:"put"`
}

func (n Name) String() string { return n.Name + ":" + n.Tag }

// Key is the name's object in the store.
func (n Name) Key() string { return prefixNames + n.Name + "/" + n.Tag }

// namePart is what a name or a tag may look like: it becomes a file name on any
// file system, and never an option or a hidden file.
var namePart = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// ParseName splits "name:tag"; tag is "" when there is none.
func ParseName(s string) (name, tag string, err error) {
	name, tag, tagged := strings.Cut(s, ":")
	if !namePart.MatchString(name) || tagged && !namePart.MatchString(tag) {
		return "", "", fmt.Errorf("%q is no image name: use letters, digits, '.', '_' and '-', at most 64 of them, as in lab-pc or lab-pc:v2", s)
	}
	return name, tag, nil
}

// PutName makes n stand for its image, durably; ErrExists when the name is taken.
// It returns the key, for Session.Publish.
func (s *Store) PutName(ctx context.Context, n Name) (string, error) {
	return n.Key(), s.backend.Put(ctx, n.Key(), seal(n))
}

// RemoveName takes a name back. The image stays until a clean-up finds it without one.
func (s *Store) RemoveName(ctx context.Context, n Name) error {
	return s.backend.Delete(ctx, n.Key())
}

// Names calls yield for each name in the store. A name that cannot be read is
// given with damage, an *IntegrityError, and an empty image.
func (s *Store) Names(ctx context.Context, yield func(n Name, damage error) error) error {
	err := s.backend.List(ctx, prefixNames, func(o Object) error {
		data, err := read(ctx, s.backend, o.Key, maxSmall)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var n Name
		err = unseal(o.Key, data, &n)
		if err == nil && n.Key() != o.Key {
			err = &IntegrityError{o.Key, -1, "holds the name " + n.String()}
		}
		if err != nil {
			n.Name, n.Tag, _ = strings.Cut(strings.TrimPrefix(o.Key, prefixNames), "/")
			n.Image = chunk.ID{}
		}
		return yield(n, err)
	})
	if err != nil {
		return fmt.Errorf("read names: %w", err)
	}
	return nil
}

// Manifest returns the bytes of a manifest, checked.
func (s *Store) Manifest(ctx context.Context, id chunk.ID) ([]byte, error) {
	return getAll(ctx, s.backend, s.Hash(), prefixManifests, id)
}

// Map returns the bytes of a map, checked.
func (s *Store) Map(ctx context.Context, id chunk.ID) ([]byte, error) {
	return getAll(ctx, s.backend, s.Hash(), prefixMaps, id)
}

// Pack returns the bytes of a pack, checked.
func (s *Store) Pack(ctx context.Context, id chunk.ID) ([]byte, error) {
	return getAll(ctx, s.backend, s.Hash(), prefixPacks, id)
}

// Manifests calls yield for each manifest in the store, named or not.
func (s *Store) Manifests(ctx context.Context, yield func(chunk.ID, Object) error) error {
	return s.named(ctx, prefixManifests, yield)
}

// Maps calls yield for each map in the store.
func (s *Store) Maps(ctx context.Context, yield func(chunk.ID, Object) error) error {
	return s.named(ctx, prefixMaps, yield)
}
