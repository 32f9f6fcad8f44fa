package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Tag makes name:tag stand for the image that ref stands for; with an empty tag
// the next version. It is a session like that of a capture, so that an image
// whose last other name is removed meanwhile is not lost to a clean-up. Errors:
// those of Find; store.ErrExists when the tag is taken; *store.CondemnedError
// when a clean-up is about to delete a part of the image.
func Tag(ctx context.Context, s *store.Store, ref, name, tag string) (store.Name, error) {
	ses, err := s.Begin(ctx, "tag of "+ref)
	if err != nil {
		return store.Name{}, err
	}
	n, err := tagIn(ctx, s, ses, ref, name, tag)
	return n, errors.Join(err, ses.Close(ctx))
}

func tagIn(ctx context.Context, s *store.Store, ses *store.Session, ref, name, tag string) (n store.Name, err error) {
	img, err := Find(ctx, s, ref)
	if err != nil {
		return store.Name{}, err
	}
	if err := rely(ctx, s, ses, img); err != nil {
		return store.Name{}, fmt.Errorf("tag %s: %w", ref, err)
	}
	return n, ses.Name(ctx, img.ID, func(id chunk.ID) (key string, err error) {
		key, n, err = Put(ctx, s, name, tag, id)
		return key, err
	})
}

// rely checks that a session may refer to everything that an image needs.
func rely(ctx context.Context, s *store.Store, ses *store.Session, img Image) error {
	if !ses.Threatened() {
		return nil
	}
	if err := ses.Rely(store.ManifestKind, img.ID); err != nil {
		return err
	}
	for i := range img.Manifest.Regions {
		r := &img.Manifest.Regions[i]
		for _, ref := range r.Map {
			if err := relyOnMap(ctx, s, ses, r, ref); err != nil {
				return err
			}
		}
	}
	return nil
}

func relyOnMap(ctx context.Context, s *store.Store, ses *store.Session, r *image.Region, ref image.SegmentRef) error {
	if err := ses.Rely(store.MapKind, ref.ID); err != nil {
		return err
	}
	segment, err := content.Segment(ctx, s, r, ref)
	if err != nil {
		return err
	}
	for _, e := range segment.Entries {
		if e.Zero {
			continue
		}
		if err := ses.RelyOnChunk(e.ID, e.At.Pack); err != nil {
			return err
		}
	}
	return nil
}
