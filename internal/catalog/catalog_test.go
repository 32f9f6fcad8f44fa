package catalog

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// shelf is a store with images that hold nothing.
type shelf struct {
	t *testing.T
	*store.Store
}

func newShelf(t *testing.T) shelf {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	return shelf{t, s}
}

// put publishes an image under a name and returns its ID.
func (s shelf) put(name, tag, note string) chunk.ID {
	s.t.Helper()
	ctx := s.t.Context()
	ses, err := s.Begin(ctx, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	defer ses.Close(ctx)
	if err := ses.Sync(ctx); err != nil {
		s.t.Fatal(err)
	}
	m := image.Manifest{Format: image.Format, Created: time.Now().UTC(), Note: note, Hash: s.Hash(), Disk: image.Disk{Size: 1 << 20, SectorSize: 512}}
	data, err := m.Encode()
	if err != nil {
		s.t.Fatal(err)
	}
	id, err := ses.Publish(ctx, data, func(id chunk.ID) (string, error) {
		key, _, err := Put(ctx, s.Store, name, tag, id)
		return key, err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

func TestFind(t *testing.T) {
	s := newShelf(t)
	first, second := s.put("lab", "", "one"), s.put("lab", "", "two")
	other := s.put("abcdef0", "final", "three")
	for _, c := range []struct {
		ref  string
		want chunk.ID
	}{
		{"lab", second}, {"lab:v1", first}, {"lab:v2", second}, {"abcdef0", other},
		{first.String(), first}, {first.String()[:8], first},
	} {
		got, err := Find(t.Context(), s.Store, c.ref)
		if err != nil || got.ID != c.want {
			t.Errorf("Find(%q) = %s, %v; want %s", c.ref, got.ID.Short(), err, c.want.Short())
		}
	}
	for _, ref := range []string{"lab:v3", "nobody", "abc", "", "../config", first.String()[:5]} {
		var missing *NotFoundError
		if _, err := Find(t.Context(), s.Store, ref); !errors.As(err, &missing) {
			t.Errorf("Find(%q): %v, want a NotFoundError", ref, err)
		}
	}
}

func TestFindAmbiguousPrefix(t *testing.T) {
	s := newShelf(t)
	a, b := chunk.ID{0xaa, 0xbb, 0xcc, 1}, chunk.ID{0xaa, 0xbb, 0xcc, 2}
	for i, id := range []chunk.ID{a, b} {
		if _, _, err := Put(t.Context(), s.Store, "n", string(rune('a'+i)), id); err != nil {
			t.Fatal(err)
		}
	}
	var ambiguous *AmbiguousError
	if _, err := Find(t.Context(), s.Store, "aabbcc"); !errors.As(err, &ambiguous) {
		t.Errorf("Find: %v, want an AmbiguousError", err)
	}
}

func TestPutCountsVersionsUp(t *testing.T) {
	s := newShelf(t)
	for _, tag := range []string{"v2", "v10", "release", "v03"} {
		if _, _, err := Put(t.Context(), s.Store, "lab", tag, chunk.ID{1}); err != nil {
			t.Fatal(err)
		}
	}
	_, n, err := Put(t.Context(), s.Store, "lab", "", chunk.ID{1})
	if err != nil || n.Tag != "v11" {
		t.Errorf("next tag is %q, %v; want v11", n.Tag, err)
	}
	if _, _, err := Put(t.Context(), s.Store, "lab", "v10", chunk.ID{2}); !errors.Is(err, store.ErrExists) {
		t.Errorf("putting a taken tag: %v, want ErrExists", err)
	}
}

func TestListReportsDamageAndTheRest(t *testing.T) {
	s := newShelf(t)
	good := s.put("good", "", "")
	if _, _, err := Put(t.Context(), s.Store, "lost", "v1", chunk.ID{9}); err != nil {
		t.Fatal(err)
	}
	images, damage, err := List(t.Context(), s.Store)
	if err != nil || damage == nil || len(images) != 1 || images[0].ID != good {
		t.Errorf("List = %d images, damage %v, error %v; want one image and damage", len(images), damage, err)
	}
}

func TestListIsCancelled(t *testing.T) {
	s := newShelf(t)
	s.put("lab", "", "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := List(ctx, s.Store); !errors.Is(err, context.Canceled) {
		t.Errorf("List: %v, want context.Canceled", err)
	}
}
