package verify_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// fault is one way to damage one object.
type fault struct {
	where  string
	do     func(t *testing.T, b store.Backend, key string)
	offset int64 // that a check must name; anyOffset where only the whole object can be named
}

const anyOffset = -2

func flip(where string, off, named int64) fault {
	return fault{"flip " + where, func(t *testing.T, b store.Backend, key string) { storetest.Flip(t, b, key, off) }, named}
}

func cut(where string, size int64) fault {
	return fault{"cut " + where, func(t *testing.T, b store.Backend, key string) { storetest.Cut(t, b, key, size) }, anyOffset}
}

var remove = fault{"remove", func(t *testing.T, b store.Backend, key string) {
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
}, anyOffset}

// packFaults are faults at every structure of a pack (doc of internal/pack).
func packFaults(t *testing.T, b store.Backend, key string) []fault {
	o, err := b.Stat(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	trailer := make([]byte, 24)
	if err := b.Get(t.Context(), key, trailer, o.Size-24); err != nil {
		t.Fatal(err)
	}
	frames, chunks := int64(binary.LittleEndian.Uint32(trailer)), int64(binary.LittleEndian.Uint32(trailer[4:]))
	end := o.Size - 24
	toc := end - frames*16 - chunks*36
	return []fault{
		flip("the header's magic", 0, 0), flip("the header's hash", 8, 0), flip("the header's nonce", 12, anyOffset),
		flip("the first frame", 16, 16), flip("inside the first frame", 1000, 16), flip("the last frame", toc-1, anyOffset),
		flip("the table's first frame", toc, toc), flip("the table's first chunk", toc+frames*16, toc), flip("the table's end", end-1, toc),
		flip("the trailer's count", end, anyOffset), flip("the trailer's checksum", end+8, toc), flip("the trailer's zeros", end+12, anyOffset),
		flip("the trailer's magic", end+16, end),
		cut("to nothing", 0), cut("in the header", 5), cut("in a frame", toc/2), cut("in the table", toc+1), cut("the last byte", -1), remove,
	}
}

func mapFaults() []fault {
	return []fault{
		flip("the magic", 0, anyOffset), flip("the nonce", 8, anyOffset), flip("the counts", 16, anyOffset), flip("the start", 20, anyOffset),
		flip("a pack's ID", 30, anyOffset), flip("the last entry", -1, anyOffset), cut("to nothing", 0), cut("the last byte", -1), remove,
	}
}

func textFaults() []fault {
	return []fault{
		flip("the start", 0, anyOffset), flip("the middle", 100, anyOffset), flip("the end", -2, anyOffset),
		cut("to nothing", 0), cut("in the middle", 80), cut("the last byte", -1),
	}
}

func indexFaults(pages int64) []fault {
	page := 48 + 8*pages
	return []fault{
		flip("the magic", 0, 0), flip("the count of pages", 12, 0), flip("the header's checksum", 44, 0), flip("a fence", 48, 48),
		flip("a page's checksum", page, page), flip("a page's count", page+4, page), flip("a record", page+8, page), flip("the padding", -1, anyOffset),
		cut("to nothing", 0), cut("in the header", 20), cut("in the fences", 50), cut("in a page", page+100), cut("the last byte", -1),
	}
}

// TestFaults damages each object of a store in every way. A check must find it
// and name the object and its images; images that use it must fail to verify and
// never read as wrong bytes; all others must stay as they were; and what is
// captured into the damaged store must never read as wrong bytes either.
func TestFaults(t *testing.T) {
	w := newWorld(t, capturetest.Small)
	pristine := w.backend
	keys := map[string][]string{}
	err := pristine.List(t.Context(), "", func(o store.Object) error {
		kind, _, _ := strings.Cut(o.Key, "/")
		keys[kind] = append(keys[kind], o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, all := range keys {
		slices.Sort(all)
		for _, key := range all[:min(len(all), 2)] {
			for _, f := range faultsOf(t, w, kind, key) {
				t.Run(fmt.Sprintf("%s/%s", key[:min(len(key), 14)], f.where), func(t *testing.T) {
					b := &mem.Backend{}
					storetest.Copy(t, b, pristine)
					f.do(t, b, key)
					w.judge(t, b, kind, key, f)
				})
			}
		}
	}
}

func faultsOf(t *testing.T, w *world, kind, key string) []fault {
	t.Helper()
	switch kind {
	case "packs":
		return packFaults(t, w.backend, key)
	case "maps":
		return mapFaults()
	case "indexes":
		head := make([]byte, 48)
		if err := w.backend.Get(t.Context(), key, head, 0); err != nil {
			t.Fatal(err)
		}
		return indexFaults(int64(binary.LittleEndian.Uint32(head[12:])))
	case "names", "config":
		return textFaults()
	case "manifests":
		return append(textFaults(), remove)
	}
	t.Fatalf("there are no faults for %s", kind)
	return nil
}

// touched are the images that need an object.
func (w *world) touched(t *testing.T, kind, key string) []string {
	t.Helper()
	id, _ := chunk.ParseID(key[strings.Index(key, "/")+1:])
	switch kind {
	case "packs":
		return w.users(t, id)
	case "names":
		return []string{strings.ReplaceAll(strings.TrimPrefix(key, "names/"), "/", ":")}
	case "indexes":
		return []string{}
	}
	users := []string{}
	for name, img := range w.images {
		uses := img.ID == id
		for _, r := range img.Manifest.Regions {
			for _, ref := range r.Map {
				uses = uses || ref.ID == id
			}
		}
		if uses {
			users = append(users, name)
		}
	}
	slices.Sort(users)
	return users
}

func (w *world) judge(t *testing.T, b store.Backend, kind, key string, f fault) {
	s, err := store.Open(t.Context(), b)
	if kind == "config" {
		var damage *store.IntegrityError
		if !errors.As(err, &damage) || damage.Key != "config" {
			t.Errorf("open with a damaged config: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	touched := w.touched(t, kind, key)
	judgeCheck(t, check(t, s, true), key, touched, f)
	for name := range w.images {
		judgeImage(t, w, s, name, slices.Contains(touched, name))
	}
	if kind != "names" && kind != "manifests" { // which a capture does not read
		w.judgeCapture(t, s, kind, f)
	}
}

func judgeCheck(t *testing.T, r verify.StoreReport, key string, touched []string, f fault) {
	t.Helper()
	if len(r.Damage) == 0 {
		t.Error("a check finds nothing")
	}
	for _, d := range r.Damage {
		if d.Object != key || !slices.Equal(d.Images, touched) {
			t.Errorf("a check says %v; want %s with images %q", d, key, touched)
		}
	}
	named := func(d *verify.Damage) bool { return d.Offset == f.offset }
	if f.offset != anyOffset && !slices.ContainsFunc(r.Damage, named) {
		t.Errorf("no damage at %#x, in %v", f.offset, r.Damage)
	}
}

// judgeImage looks at an image in a damaged store as verify and deploy do.
func judgeImage(t *testing.T, w *world, s *store.Store, name string, touched bool) {
	t.Helper()
	err := verifyImage(t.Context(), s, name)
	var integrity *store.IntegrityError
	var damage *verify.DamageError
	if touched && !errors.As(err, &integrity) && !errors.As(err, &damage) && !errors.Is(err, store.ErrNotFound) {
		t.Errorf("%s uses it, and verify says %v", name, err)
	}
	if !touched && err != nil {
		t.Errorf("%s does not use it, and verify says %v", name, err)
	}
	err = capturetest.Check(t.Context(), s, w.images[name].ID, w.disks[name])
	var wrong *capturetest.WrongBytesError
	if errors.As(err, &wrong) || !touched && err != nil {
		t.Errorf("%s, touched %v: reading gives %v", name, touched, err)
	}
}

func verifyImage(ctx context.Context, s *store.Store, name string) error {
	img, err := catalog.Find(ctx, s, name)
	if err != nil {
		return err
	}
	return verify.Image(ctx, s, name, img.Manifest, false, &progress.Work{})
}

// judgeCapture captures a disk that the damaged store holds most of. Bytes that
// rotted inside a pack are not noticed by a writer that finds them by the index,
// so such an image may be as damaged as the older ones; it must not lie.
func (w *world) judgeCapture(t *testing.T, s *store.Store, kind string, f fault) {
	t.Helper()
	disk := capturetest.Disk(capturetest.Small, dataBytes, 1, 2, 6)
	id, err := capturetest.Capture(t.Context(), s, "new:v1", disk)
	if err != nil {
		t.Fatalf("capture into the damaged store: %v", err)
	}
	err = capturetest.Check(t.Context(), s, id, disk)
	var wrong *capturetest.WrongBytesError
	rot := kind == "packs" && strings.HasPrefix(f.where, "flip")
	if errors.As(err, &wrong) || err != nil && !rot {
		t.Errorf("what was captured into the damaged store: %v", err)
	}
}

// TestFullStore lets each put of a capture fail in turn: the capture fails with
// what the backend said, no name is put, and the store is as good as before.
func TestFullStore(t *testing.T) {
	w := newWorld(t, capturetest.Small)
	disk := capturetest.Disk(capturetest.Small, dataBytes, 1, 7, 8)
	for room := 0; ; room++ {
		b := &mem.Backend{}
		storetest.Copy(t, b, w.backend)
		full := storetest.NewFailing(b, room)
		_, err := capturetest.Capture(t.Context(), openStore(t, full), "new:v1", disk)
		if !full.Failed() {
			if err != nil {
				t.Fatal(err)
			}
			if room < 6 { // lease, its renewal, a pack, an index, two maps, the manifest, the name
				t.Errorf("a capture takes %d puts only", room)
			}
			return
		}
		s := openStore(t, b)
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("room for %d puts: got %v", room, err)
		}
		if taken, err := catalog.Taken(t.Context(), s, "new", "v1"); taken || err != nil {
			t.Errorf("room for %d puts: published %v, %v", room, taken, err)
		}
		if r := check(t, s, true); len(r.Damage) > 0 || r.Images != 3 {
			t.Errorf("room for %d puts: %d images, %v", room, r.Images, r.Damage)
		}
		if id, err := capturetest.Capture(t.Context(), s, "new:v1", disk); err != nil {
			t.Errorf("once there is room again: %v", err)
		} else if err := capturetest.Check(t.Context(), s, id, disk); err != nil {
			t.Error(err)
		}
	}
}
