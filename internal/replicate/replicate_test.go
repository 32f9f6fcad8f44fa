package replicate_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/replicate"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
	"github.com/ingot-imaging/ingot/internal/verify"
)

const dataBytes = 500 << 10

var (
	labDisk  = capturetest.Disk(capturetest.Large, dataBytes, 1, 2)
	nextDisk = capturetest.Disk(capturetest.Large, dataBytes, 1, 3)
)

func open(t *testing.T, b store.Backend) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// source is a store with lab:v1 and lab:v2, which share the half.
func source(t *testing.T) (s *store.Store, v1, v2 catalog.Image) {
	t.Helper()
	s = open(t, &mem.Backend{})
	capturetest.Image(t, s, "lab:v1", labDisk)
	capturetest.Image(t, s, "lab:v2", nextDisk)
	return s, find(t, s, "lab:v1"), find(t, s, "lab:v2")
}

func find(t *testing.T, s *store.Store, ref string) catalog.Image {
	t.Helper()
	img, err := catalog.Find(t.Context(), s, ref)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func copyImage(t *testing.T, from, to *store.Store, img catalog.Image) replicate.Result {
	t.Helper()
	r, err := replicate.Image(t.Context(), from, to, img, img.Names[0], &progress.Work{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sound checks that a store is intact and that an image in it is what was captured.
func sound(t *testing.T, s *store.Store, ref string, id chunk.ID) {
	t.Helper()
	if got := find(t, s, ref).ID; got != id {
		t.Errorf("%s is image %s, not %s", ref, got.Short(), id.Short())
	}
	disk := labDisk
	if strings.HasSuffix(ref, "v2") {
		disk = nextDisk
	}
	if err := capturetest.Check(t.Context(), s, id, disk); err != nil {
		t.Error(err)
	}
	if _, err := verify.Store(t.Context(), s, true, &progress.Work{}); err != nil {
		t.Error(err)
	}
}

func TestCopy(t *testing.T) {
	from, v1, v2 := source(t)
	b := &mem.Backend{}
	to := open(t, b)
	first := copyImage(t, from, to, v1)
	sound(t, to, "lab:v1", v1.ID)
	second := copyImage(t, from, to, v2)
	sound(t, to, "lab:v2", v2.ID)
	if first.Packs == 0 || second.Packs == 0 || second.Before == 0 || second.Bytes > first.Bytes*2/3 || first.Maps != 2 {
		t.Errorf("copied %+v, then %+v", first, second)
	}
	if newest := find(t, to, "lab"); newest.ID != v2.ID {
		t.Error("the newest image there is not the newest here")
	}
	if again := copyImage(t, from, to, v1); !again.There {
		t.Errorf("copied once more: %+v", again)
	}
	// What was copied is found by captures: its packs are in the indexes there.
	before := bytesOf(t, b)
	capturetest.Image(t, to, "other:v1", labDisk)
	if grown := bytesOf(t, b) - before; grown > 20_000 {
		t.Errorf("a capture of the same disk takes %d bytes more", grown)
	}
}

func bytesOf(t *testing.T, b store.Backend) (n int64) {
	t.Helper()
	err := b.List(t.Context(), "", func(o store.Object) error {
		n += o.Size
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Maps whose places are stale: the chunks lie in other packs than they say.
func TestCopyWithStalePlaces(t *testing.T) {
	from, v1, _ := source(t)
	ctx := t.Context()
	old, err := content.Packs(ctx, from, v1.Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	// What a capture stores without those packs holds the chunks once more; one
	// chunk more makes sure that no pack of it equals an old one.
	for _, id := range old {
		if err := from.Backend().Delete(ctx, "packs/"+id.String()); err != nil {
			t.Fatal(err)
		}
	}
	capturetest.Image(t, from, "again:v1", capturetest.Disk(capturetest.Large, dataBytes, 9, 1, 2, 3))
	to := open(t, &mem.Backend{})
	copyImage(t, from, to, v1)
	sound(t, to, "lab:v1", v1.ID)
}

func TestCopyRefuses(t *testing.T) {
	from, v1, v2 := source(t)
	ctx := t.Context()
	sha, err := store.OpenOrCreateLike(ctx, &mem.Backend{}, store.Config{Hash: chunk.SHA256, Chunks: chunk.DefaultParams})
	if err != nil {
		t.Fatal(err)
	}
	var hash *replicate.HashError
	if _, err := replicate.Image(ctx, from, sha, v1, v1.Names[0], &progress.Work{}); !errors.As(err, &hash) {
		t.Errorf("another hash: got %v", err)
	}
	to := open(t, &mem.Backend{})
	copyImage(t, from, to, v1)
	var taken *replicate.TakenError
	if _, err := replicate.Image(ctx, from, to, v2, v1.Names[0], &progress.Work{}); !errors.As(err, &taken) {
		t.Errorf("a name that is taken: got %v", err)
	}
	r, err := replicate.Image(ctx, from, to, v2, store.Name{Name: "lab"}, &progress.Work{})
	if err != nil || r.Name.String() != "lab:v2" {
		t.Errorf("the next version: got %v, %v", r.Name, err)
	}
}

// A name, map or manifest that a clean-up of the destination is about to delete.
func TestCopyOfCondemned(t *testing.T) {
	from, v1, _ := source(t)
	ctx := t.Context()
	for _, key := range []string{"manifests/" + v1.ID.String(), "maps/" + v1.Manifest.Regions[0].Map[0].ID.String()} {
		to := open(t, &mem.Backend{})
		condemn(t, to, key)
		_, err := replicate.Image(ctx, from, to, v1, v1.Names[0], &progress.Work{})
		var condemned *store.CondemnedError
		if !errors.As(err, &condemned) || condemned.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
		if images, _, _ := catalog.List(ctx, to); len(images) > 0 {
			t.Errorf("%s: the image was published", key)
		}
	}
	packs, err := content.Packs(ctx, from, v1.Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	to := open(t, &mem.Backend{})
	copyImage(t, from, to, v1)
	if err := to.RemoveName(ctx, v1.Names[0]); err != nil {
		t.Fatal(err)
	}
	condemn(t, to, "packs/"+packs[0].String())
	copyImage(t, from, to, v1)
	if err := to.Backend().Delete(ctx, "packs/"+packs[0].String()); err != nil { // as the clean-up may
		t.Fatal(err)
	}
	sound(t, to, "lab:v1", v1.ID)
}

func condemn(t *testing.T, s *store.Store, key string) {
	t.Helper()
	c, err := s.BeginCleanUp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(c.Condemn(t.Context(), []string{key}), c.Close(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// A damaged source gives an error with the object, and no image in the destination.
func TestCopyOfDamaged(t *testing.T) {
	from, v1, _ := source(t)
	ctx := t.Context()
	packs, err := content.Packs(ctx, from, v1.Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		"packs/" + packs[0].String(), "maps/" + v1.Manifest.Regions[0].Map[1].ID.String(), "manifests/" + v1.ID.String(),
	} {
		b := &mem.Backend{}
		storetest.Copy(t, b, from.Backend())
		storetest.Flip(t, b, key, 60)
		to := open(t, &mem.Backend{})
		_, err := replicate.Image(ctx, open(t, b), to, v1, v1.Names[0], &progress.Work{})
		var damage *store.IntegrityError
		if !errors.As(err, &damage) || damage.Key != key {
			t.Errorf("%s: got %v", key, err)
		}
		if report, err := verify.Store(ctx, to, true, &progress.Work{}); err != nil || report.Images != 0 {
			t.Errorf("%s: the destination has %d images, %v", key, report.Images, err)
		}
	}
}

// A destination that fills up fails the copy, and takes it up where it stopped.
func TestCopyToFullStore(t *testing.T) {
	from, v1, _ := source(t)
	b := &mem.Backend{}
	open(t, b)
	for room := 0; ; room++ {
		full := storetest.NewFailing(b, room)
		_, err := replicate.Image(t.Context(), from, open(t, full), v1, v1.Names[0], &progress.Work{})
		if !full.Failed() {
			if err != nil || room == 0 {
				t.Fatalf("room for %d puts: %v", room, err)
			}
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("room for %d puts: got %v", room, err)
		}
		report, err := verify.Store(t.Context(), open(t, b), true, &progress.Work{})
		if err != nil || report.Images != 0 {
			t.Errorf("room for %d puts: %d images, %v", room, report.Images, err)
		}
	}
	sound(t, open(t, b), "lab:v1", v1.ID)
}
