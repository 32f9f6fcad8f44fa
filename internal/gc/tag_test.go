package gc

import (
	"errors"
	"testing"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// A new name is refused to an image that loses a part to a clean-up: the clean-up
// may have looked at the names already.
func TestTagOfWhatIsCondemned(t *testing.T) {
	for kind, refused := range map[string]bool{"manifests/": true, "maps/": true, "packs/": true, "indexes/": false} {
		ctx, b := t.Context(), &mem.Backend{}
		s := newStore(t, b)
		must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 10))
		c, err := s.BeginCleanUp(ctx)
		must(t, err)
		must(t, b.List(ctx, kind, func(o store.Object) error { return c.Condemn(ctx, []string{o.Key}) }))
		_, err = catalog.Tag(ctx, s, "lab:v1", "office", "v1")
		var condemned *store.CondemnedError
		if errors.As(err, &condemned) != refused {
			t.Errorf("%s condemned: got %v", kind, err)
		}
		must(t, c.Close(ctx))
		// The next clean-up pardons what the image needs.
		_, err = collect(ctx, s)
		must(t, err)
		must(t, wantImage(ctx, s, "lab:v1", blocks(0, 19)))
		_, err = catalog.Tag(ctx, s, "lab:v1", "office", "")
		if !refused {
			continue
		}
		must(t, err)
		must(t, wantImage(ctx, s, "office", blocks(0, 19)))
	}
}

// A manifest that is about to be deleted is not published anew under the same ID.
func TestCaptureOfWhatIsCondemned(t *testing.T) {
	ctx, b := t.Context(), &mem.Backend{}
	s := newStore(t, b)
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 10))
	remove(t, s, "lab:v1")
	c, err := s.BeginCleanUp(ctx)
	must(t, err)
	must(t, b.List(ctx, "manifests/", func(o store.Object) error { return c.Condemn(ctx, []string{o.Key}) }))
	var condemned *store.CondemnedError
	if err := capture(ctx, s, "lab", "v1", blocks(0, 19), 10); !errors.As(err, &condemned) {
		t.Errorf("got %v", err)
	}
	must(t, c.Close(ctx))
	_, err = collect(ctx, s)
	must(t, err)
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 10))
	must(t, wantImage(ctx, s, "lab:v1", blocks(0, 19)))
}
