package verify

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Damage is one thing that is wrong in a store, and the images that it touches.
type Damage struct {
	Object string   `json:"object"` // "packs/3f2a..."
	Offset int64    `json:"offset"` // in the object; -1: the object as a whole
	Why    string   `json:"why"`
	Images []string `json:"images"` // by name, sorted

	err     error
	missing bool // the object is not there
}

func newDamage(err error) *Damage {
	d := &Damage{Offset: -1, Why: err.Error(), Images: []string{}, err: err, missing: errors.Is(err, store.ErrNotFound)}
	var at *store.IntegrityError
	if errors.As(err, &at) {
		d.Object, d.Offset, d.Why = at.Key, at.Offset, at.Why
	}
	if d.missing {
		d.Why = "is missing: " + d.Why
	}
	return d
}

func (d *Damage) Error() string {
	s := d.err.Error()
	if len(d.Images) > 0 {
		s += "; images " + strings.Join(d.Images, ", ")
	}
	return s
}

func (d *Damage) Unwrap() error { return d.err }

// touches adds names of images.
func (d *Damage) touches(names []string) {
	for _, name := range names {
		if i, found := slices.BinarySearch(d.Images, name); !found {
			d.Images = slices.Insert(d.Images, i, name)
		}
	}
}

func compareDamage(a, b *Damage) int {
	return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.Why, b.Why))
}

// missingError says that an object that an image needs is not in the store.
func missingError(key, why string) error {
	return &absentError{store.IntegrityError{Key: key, Offset: -1, Why: why}}
}

// absentError is an IntegrityError of an object that is not there.
type absentError struct{ store.IntegrityError }

func (e *absentError) Error() string   { return fmt.Sprintf("%s is missing: %s", e.Key, e.Why) }
func (e *absentError) Unwrap() []error { return []error{&e.IntegrityError, store.ErrNotFound} }
