package verify_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// world is a store with three images: lab:v1, lab:v2, which shares the half of
// it, and solo:v1, which shares nothing with them.
type world struct {
	backend *mem.Backend
	store   *store.Store
	disks   map[string]*blocktest.Memory
	images  map[string]catalog.Image
}

const dataBytes = 600 << 10

func newWorld(t *testing.T, size int64) *world {
	t.Helper()
	w := &world{backend: &mem.Backend{}, images: map[string]catalog.Image{}}
	w.disks = map[string]*blocktest.Memory{
		"lab:v1":  capturetest.Disk(size, dataBytes, 1, 2),
		"lab:v2":  capturetest.Disk(size, dataBytes, 1, 3),
		"solo:v1": capturetest.Disk(size, dataBytes, 4, 5),
	}
	w.store = openStore(t, w.backend)
	for _, name := range []string{"lab:v1", "lab:v2", "solo:v1"} {
		w.images[name] = capturetest.Image(t, w.store, name, w.disks[name])
	}
	return w
}

func openStore(t *testing.T, b store.Backend) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// packs are the packs that an image uses.
func (w *world) packs(t *testing.T, name string) []chunk.ID {
	t.Helper()
	packs, err := content.Packs(t.Context(), w.store, w.images[name].Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	return packs
}

// users are the names of the images that use a pack.
func (w *world) users(t *testing.T, id chunk.ID) []string {
	users := []string{}
	for name := range w.images {
		if slices.Contains(w.packs(t, name), id) {
			users = append(users, name)
		}
	}
	slices.Sort(users)
	return users
}

func check(t *testing.T, s *store.Store, readData bool) verify.StoreReport {
	t.Helper()
	report, err := verify.Store(t.Context(), s, readData, &progress.Work{})
	var damage *verify.DamageError
	if err != nil && !errors.As(err, &damage) {
		t.Fatal(err)
	}
	if (err == nil) != (len(report.Damage) == 0) {
		t.Fatalf("%d damages and the error %v", len(report.Damage), err)
	}
	return report
}

func TestIntactStore(t *testing.T) {
	w := newWorld(t, capturetest.Large)
	for _, readData := range []bool{false, true} {
		r := check(t, w.store, readData)
		for _, d := range r.Damage {
			t.Error(d)
		}
		if r.Images != 3 || r.Maps != 5 || r.LeftOver == nil || *r.LeftOver != (verify.LeftOver{}) {
			t.Errorf("got %+v, left over %+v", r, r.LeftOver)
		}
	}
	empty := openStore(t, &mem.Backend{})
	if r := check(t, empty, true); len(r.Damage) > 0 || r.Packs != 0 {
		t.Errorf("an empty store: %+v", r)
	}
}

func TestLeftOver(t *testing.T) {
	w := newWorld(t, capturetest.Large)
	only := slices.DeleteFunc(w.packs(t, "solo:v1"), func(id chunk.ID) bool { return len(w.users(t, id)) > 1 })
	if err := w.store.RemoveName(t.Context(), w.images["solo:v1"].Names[0]); err != nil {
		t.Fatal(err)
	}
	r := check(t, w.store, false)
	if len(r.Damage) > 0 || r.LeftOver == nil {
		t.Fatalf("got %+v", r)
	}
	if l := r.LeftOver; l.Manifests.Objects != 1 || l.Maps.Objects != 2 || l.Packs.Objects != len(only) || l.Packs.Bytes < dataBytes {
		t.Errorf("left over: %+v", *l)
	}
}

// A chunk that was moved to another pack is found there, and no damage.
func TestMovedChunks(t *testing.T) {
	w := newWorld(t, capturetest.Large)
	ctx := t.Context()
	old := w.packs(t, "solo:v1")
	ses, err := w.store.BeginWithout(ctx, "test", old)
	if err != nil {
		t.Fatal(err)
	}
	moveAll(t, ses, w, old)
	if err := errors.Join(ses.Sync(ctx), ses.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	for _, id := range old {
		if err := w.backend.Delete(ctx, "packs/"+id.String()); err != nil {
			t.Fatal(err)
		}
	}
	if r := check(t, w.store, true); len(r.Damage) > 0 {
		t.Errorf("got %v", r.Damage)
	}
	if err := capturetest.Check(ctx, w.store, w.images["solo:v1"].ID, w.disks["solo:v1"]); err != nil {
		t.Error(err)
	}
}

// moveAll stores every chunk of the given packs once more.
func moveAll(t *testing.T, ses *store.Session, w *world, packs []chunk.ID) {
	t.Helper()
	r, err := w.store.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	writer, err := ses.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := writer.Put(t.Context(), []byte("so that no new pack equals an old one")); err != nil {
		t.Fatal(err)
	}
	for name := range w.images {
		m := w.images[name].Manifest
		for i := range m.Regions {
			for _, ref := range m.Regions[i].Map {
				s, err := content.Segment(t.Context(), w.store, &m.Regions[i], ref)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range s.Entries {
					if e.Zero || !slices.Contains(packs, e.At.Pack) {
						continue
					}
					data := make([]byte, e.Length)
					if err := r.Read(t.Context(), e.ID, e.At, data); err != nil {
						t.Fatal(err)
					}
					if _, _, _, err := writer.Put(t.Context(), data); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	if err := writer.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}
