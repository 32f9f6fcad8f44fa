package catalog

import (
	"context"
	"slices"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Named is all the names that a reference stands for.
type Named struct {
	Names []store.Name // newest first
	// Bare says that the reference is a name without a tag, and Names its versions.
	Bare bool
}

// Names returns the one name of name:tag, the versions of a bare name, or all
// names of the image whose ID begins with ref. Names that cannot be read, and
// names of images that are damaged, are among them, so that they can be removed.
// Errors: *NotFoundError, *AmbiguousError.
func Names(ctx context.Context, s *store.Store, ref string) (Named, error) {
	var found Named
	name, tag, err := store.ParseName(ref)
	if err == nil {
		err = s.Names(ctx, func(n store.Name, _ error) error {
			if n.Name == name && (tag == "" || n.Tag == tag) {
				found.Names = append(found.Names, n)
			}
			return nil
		})
		if err != nil {
			return Named{}, err
		}
		found.Bare = tag == "" && len(found.Names) > 0
	}
	if len(found.Names) == 0 && isPrefix(ref) {
		if found.Names, err = byID(ctx, s, ref); err != nil {
			return Named{}, err
		}
	}
	if len(found.Names) == 0 {
		return Named{}, &NotFoundError{ref}
	}
	slices.SortFunc(found.Names, newestFirst)
	return found, nil
}
