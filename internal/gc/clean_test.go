package gc

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// old is a backend whose packs, maps and manifests all look as if they had been
// put long ago, so that no writer protects what it has just put by its age.
type old struct{ store.Backend }

func (b old) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	return b.Backend.List(ctx, prefix, func(o store.Object) error {
		if _, _, ok := store.ParseKey(o.Key); ok {
			o.ModTime = o.ModTime.Add(-time.Hour)
		}
		return yield(o)
	})
}

func newStore(t *testing.T, b store.Backend) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), b)
	must(t, err)
	return s
}

func remove(t *testing.T, s *store.Store, name string) {
	t.Helper()
	n, tag, err := store.ParseName(name)
	must(t, err)
	must(t, s.RemoveName(t.Context(), store.Name{Name: n, Tag: tag}))
}

func TestRemovedImagesGo(t *testing.T) {
	ctx, s := t.Context(), newStore(t, &mem.Backend{})
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 39), 10))
	must(t, capture(ctx, s, "lab", "v2", blocks(20, 59), 10)) // shares 20 to 39
	remove(t, s, "lab:v1")

	dry, err := Run(ctx, s, Options{RepackBelow: DefaultRepackBelow, DryRun: true}, &progress.Work{})
	must(t, err)
	before, err := keys(ctx, s)
	must(t, err)
	result, err := collect(ctx, s)
	must(t, err)
	if before["packs"] != 6 || dry.Freed != result.Freed || dry.Objects != result.Objects {
		t.Errorf("a dry run says %+v, the run %+v, over %v", dry, result, before)
	}
	if result.Objects != 4 || result.Images != 1 { // two packs, a map, a manifest
		t.Errorf("deleted something else: %+v", result)
	}
	must(t, wantImage(ctx, s, "lab:v2", blocks(20, 59)))
	must(t, wantNothingLeft(ctx, s, 1))

	remove(t, s, "lab:v2")
	_, err = collect(ctx, s)
	must(t, err)
	must(t, wantNothingLeft(ctx, s, 0))
}

func TestRepack(t *testing.T) {
	ctx, s := t.Context(), newStore(t, &mem.Backend{})
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 39), 20))
	kept := append(blocks(0, 3), blocks(20, 34)...) // a fifth of one pack, three quarters of the other
	must(t, capture(ctx, s, "lab", "v2", kept, 20))
	remove(t, s, "lab:v1")
	result, err := collect(ctx, s)
	must(t, err)
	if result.Packs != 1 || result.Moved < 4*chunkLength || result.Moved > 5*chunkLength || result.Freed < 20*chunkLength {
		t.Errorf("moved the wrong packs: %+v", result)
	}
	must(t, wantImage(ctx, s, "lab:v2", kept)) // by a map whose places are out of date
	again, err := collect(ctx, s)
	must(t, err)
	if again.Objects != 0 || again.Packs != 0 {
		t.Errorf("a second clean-up found work: %+v", again)
	}
}

// A chunk that two writers stored at once is kept once.
func TestDoublesGo(t *testing.T) {
	ctx := t.Context()
	b := &mem.Backend{}
	s := newStore(t, b)
	first, err := s.Begin(ctx, "first")
	must(t, err)
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 20))
	_, err = putBlocks(ctx, first, append(blocks(0, 19), 20), 30)
	must(t, err)
	must(t, first.Close(ctx))
	must(t, capture(ctx, s, "lab", "v2", blocks(0, 19), 20))
	result, err := collect(ctx, s)
	must(t, err)
	if count, _ := keys(ctx, s); count["packs"] != 1 {
		t.Errorf("%d packs are left: %+v", count["packs"], result)
	}
	must(t, wantImage(ctx, s, "lab:v1", blocks(0, 19)))
	must(t, wantImage(ctx, s, "lab:v2", blocks(0, 19)))
}

// What a running writer may refer to waits, and stays when it does.
func TestRunningWriter(t *testing.T) {
	ctx, s := t.Context(), newStore(t, old{&mem.Backend{}})
	must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 20))
	writer, err := s.Begin(ctx, "capture of /dev/slow")
	must(t, err)
	segment, err := putBlocks(ctx, writer, blocks(0, 29), 30)
	must(t, err)
	id, err := writer.PutMap(ctx, segment.Encode(0), segment.Encode)
	must(t, err)
	remove(t, s, "lab:v1")

	result, err := collect(ctx, s)
	must(t, err)
	if result.Objects != 0 || result.Waiting < 30*chunkLength || len(result.WaitingFor) != 1 || !strings.Contains(result.WaitingFor[0], "/dev/slow") {
		t.Errorf("beside a running capture: %+v", result)
	}
	// A writer that begins now stores anew what is condemned, under other names.
	must(t, capture(ctx, s, "lab", "v3", blocks(0, 19), 20))
	result, err = collect(ctx, s)
	must(t, err)
	if result.Objects != 0 || result.Waiting == 0 {
		t.Errorf("still beside a running capture: %+v", result)
	}
	data, err := manifest(s, "", 30, id).Encode()
	must(t, err)
	_, err = writer.Publish(ctx, data, func(id chunk.ID) (string, error) {
		key, _, err := catalog.Put(ctx, s, "lab", "v2", id)
		return key, err
	})
	must(t, err)
	must(t, writer.Close(ctx))
	for range 2 {
		_, err := collect(ctx, s)
		must(t, err)
		must(t, wantImage(ctx, s, "lab:v2", blocks(0, 29)))
		must(t, wantImage(ctx, s, "lab:v3", blocks(0, 19)))
	}
	must(t, wantNothingLeft(ctx, s, 2))
}

// A writer that was taken for dead publishes nothing.
func TestExpiredWriter(t *testing.T) {
	ctx, s := t.Context(), newStore(t, &mem.Backend{})
	writer, err := s.Begin(ctx, "capture that sleeps")
	must(t, err)
	segment, err := putBlocks(ctx, writer, blocks(0, 9), 10)
	must(t, err)
	id, err := writer.PutMap(ctx, segment.Encode(0), segment.Encode)
	must(t, err)
	leases, err := s.Leases(ctx)
	must(t, err)
	if len(leases) != 1 || leases[0].Abandoned(leases[0].Seen.Add(store.LeaseLimit)) || !leases[0].Abandoned(leases[0].Seen.Add(store.LeaseLimit+1)) {
		t.Fatalf("leases %+v: a lease is good for %v", leases, store.LeaseLimit)
	}
	must(t, s.Expire(ctx, leases[0].Writer))
	_, err = collect(ctx, s)
	must(t, err)
	must(t, wantNothingLeft(ctx, s, 0))

	data, err := manifest(s, "", 10, id).Encode()
	must(t, err)
	_, err = writer.Publish(ctx, data, func(id chunk.ID) (string, error) {
		t.Error("an expired writer was let to put a name")
		return "names/x/y", nil
	})
	if err == nil {
		t.Error("an expired writer published")
	}
	must(t, writer.Close(ctx))
	if images, damage, err := catalog.List(ctx, s); err != nil || damage != nil || len(images) > 0 {
		t.Errorf("after an expired writer: images %v, damage %v, error %v", images, damage, err)
	}
}

// A writer that is taken for dead while it puts its name takes the name back.
func TestExpiredWhilePublishing(t *testing.T) {
	ctx, s := t.Context(), newStore(t, &mem.Backend{})
	writer, err := s.Begin(ctx, "capture that sleeps at the wrong moment")
	must(t, err)
	segment, err := putBlocks(ctx, writer, blocks(0, 9), 10)
	must(t, err)
	id, err := writer.PutMap(ctx, segment.Encode(0), segment.Encode)
	must(t, err)
	data, err := manifest(s, "", 10, id).Encode()
	must(t, err)
	_, err = writer.Publish(ctx, data, func(id chunk.ID) (string, error) {
		leases, err := s.Leases(ctx)
		must(t, err)
		must(t, s.Expire(ctx, leases[0].Writer))
		_, err = collect(ctx, s)
		must(t, err)
		key, _, err := catalog.Put(ctx, s, "lab", "v1", id)
		return key, err
	})
	if err == nil {
		t.Error("an expired writer published")
	}
	must(t, writer.Close(ctx))
	must(t, wantNothingLeft(ctx, s, 0))
	if _, err := catalog.Find(ctx, s, "lab"); err == nil {
		t.Error("the name of an expired writer is left")
	}
}

func TestOneCleanUpAtATime(t *testing.T) {
	ctx, s := t.Context(), newStore(t, &mem.Backend{})
	c, err := s.BeginCleanUp(ctx)
	must(t, err)
	_, err = collect(ctx, s)
	var busy *store.BusyError
	if !errors.As(err, &busy) {
		t.Errorf("beside another clean-up: %v", err)
	}
	must(t, c.Close(ctx))
	_, err = collect(ctx, s)
	must(t, err)
}

// Nothing is deleted while it cannot be read what an image needs.
func TestUnreadable(t *testing.T) {
	for _, kind := range []string{"names/", "manifests/", "maps/"} {
		for _, how := range []string{"missing", "damaged"} {
			if kind == "names/" && how == "missing" {
				continue // then it is removed
			}
			t.Run(kind+how, func(t *testing.T) {
				ctx, b := t.Context(), &mem.Backend{}
				s := newStore(t, b)
				must(t, capture(ctx, s, "gone", "v1", blocks(30, 49), 10))
				remove(t, s, "gone:v1")
				_, err := collect(ctx, s)
				must(t, err)
				must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 10))
				hurt(t, b, kind, how == "damaged")
				must(t, capture(ctx, s, "gone", "v1", blocks(30, 49), 10))
				remove(t, s, "gone:v1")
				result, err := collect(ctx, s)
				var unreadable *UnreadableError
				if !errors.As(err, &unreadable) || result.Objects > 0 || !strings.Contains(err.Error(), "lab:v1") {
					t.Errorf("got %v, %+v", err, result)
				}
				remove(t, s, "lab:v1")
				_, err = collect(ctx, s)
				must(t, err)
				must(t, wantNothingLeft(ctx, s, 0))
			})
		}
	}
}

// hurt damages or deletes every object under prefix.
func hurt(t *testing.T, b store.Backend, prefix string, damage bool) {
	t.Helper()
	var found []store.Object
	must(t, b.List(t.Context(), prefix, func(o store.Object) error {
		found = append(found, o)
		return nil
	}))
	if len(found) == 0 {
		t.Fatalf("there is nothing under %s to hurt", prefix)
	}
	for _, o := range found {
		data := make([]byte, o.Size)
		must(t, b.Get(t.Context(), o.Key, data, 0))
		must(t, b.Delete(t.Context(), o.Key))
		if damage {
			data[len(data)/2] ^= 1
			must(t, b.Put(t.Context(), o.Key, data))
		}
	}
}

// Indexes that are gone or damaged cost a clean-up time, and nothing else.
func TestLostIndexes(t *testing.T) {
	for _, how := range []string{"missing", "damaged"} {
		t.Run(how, func(t *testing.T) {
			ctx, b := t.Context(), &mem.Backend{}
			s := newStore(t, b)
			must(t, capture(ctx, s, "lab", "v1", blocks(0, 19), 10))
			must(t, capture(ctx, s, "gone", "v1", blocks(30, 49), 10))
			remove(t, s, "gone:v1")
			hurt(t, b, "indexes/", how == "damaged")
			result, err := collect(ctx, s)
			must(t, err)
			if count, _ := keys(ctx, s); count["packs"] != 2 {
				t.Errorf("%v left: %+v", count, result)
			}
			must(t, wantImage(ctx, s, "lab:v1", blocks(0, 19)))
			ses, err := s.Begin(ctx, "capture")
			must(t, err)
			_, err = putBlocks(ctx, ses, blocks(0, 19), 10)
			must(t, err)
			if n := ses.Stats.Plain.Load(); n > 0 || len(ses.Damaged()) > 0 {
				t.Errorf("after the clean-up %d bytes were stored again; damaged: %v", n, ses.Damaged())
			}
			must(t, ses.Close(ctx))
		})
	}
}

// A copy that is damaged is no reason to delete the other.
func TestDamagedDouble(t *testing.T) {
	ctx, b := t.Context(), &mem.Backend{}
	s := newStore(t, b)
	first, err := s.Begin(ctx, "first")
	must(t, err)
	must(t, capture(ctx, s, "lab", "v1", append(blocks(0, 19), 99), 30))
	var good []string
	must(t, b.List(ctx, "packs/", func(o store.Object) error { good = append(good, o.Key); return nil }))
	_, err = putBlocks(ctx, first, blocks(0, 19), 30) // smaller, so the keeper of what both have
	must(t, err)
	must(t, first.Close(ctx))
	must(t, b.List(ctx, "packs/", func(o store.Object) error {
		if slices.Contains(good, o.Key) {
			return nil
		}
		data := make([]byte, o.Size)
		must(t, b.Get(ctx, o.Key, data, 0))
		must(t, b.Delete(ctx, o.Key))
		data[1000] ^= 1
		return b.Put(ctx, o.Key, data)
	}))
	_, err = collect(ctx, s)
	var damage *DamageError
	if !errors.As(err, &damage) {
		t.Errorf("got %v", err)
	}
	must(t, wantImage(ctx, s, "lab:v1", append(blocks(0, 19), 99)))
}
