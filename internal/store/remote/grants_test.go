package remote_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/store/serve"
)

// depot is a store with two images of which neither has a pack of the other.
type depot struct {
	*store.Store
	backend    *mem.Backend
	disk       *blocktest.Memory
	img, other catalog.Image
}

func newDepot(t *testing.T) depot {
	t.Helper()
	b := &mem.Backend{}
	s, err := store.OpenOrCreate(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(capturetest.Small, 2<<20, 1, 2)
	return depot{s, b, disk, capturetest.Image(t, s, "lab:v1", disk), capturetest.Image(t, s, "exam:v1", capturetest.Disk(capturetest.Small, 1<<20, 7))}
}

// needs finds what an image needs, as a server does.
func (d depot) needs(id chunk.ID) *serve.Found {
	return serve.NewFound(func(ctx context.Context) (serve.Keys, error) {
		n, err := content.FindNeeds(ctx, d.Store, id)
		if err != nil {
			return nil, err
		}
		return n.Has, nil
	})
}

// deployFrom deploys an image from a backend to an empty disk, and checks it.
func deployFrom(ctx context.Context, b store.Backend, id chunk.ID, want *blocktest.Memory) error {
	s, err := store.Open(ctx, b)
	if err != nil {
		return err
	}
	img, err := catalog.Find(ctx, s, id.String())
	if err != nil {
		return err
	}
	target := blocktest.NewMemory(want.Size(), 512)
	plan, err := deploy.NewPlan("test", nil, img.Manifest.Regions, 512, deploy.Target{Size: want.Size(), SectorSize: 512}, deploy.Options{Free: deploy.Keep, Readback: true})
	if err != nil {
		return err
	}
	var work progress.Work
	if err := plan.Run(ctx, content.NewStored(s, img.Manifest), zeroing{target}, &work); err != nil {
		return err
	}
	if work.Disk.In.Load() == 0 || work.Disk.Out.Load() == 0 || work.Disk.Busy() <= 0 {
		return errors.New("the disk was not counted")
	}
	return capturetest.Check(ctx, s, id, target)
}

type zeroing struct{ *blocktest.Memory }

func (z zeroing) Zero(off, n int64) error {
	_, err := z.WriteAt(make([]byte, n), off)
	return err
}

// TestDeployNeeds deploys with exactly what an image needs, and with one key less.
func TestDeployNeeds(t *testing.T) {
	d := newDepot(t)
	found := d.needs(d.img.ID)
	var mu sync.Mutex
	without, read := "", map[string]bool{}
	p := start(t, serve.Config{Backend: d.backend, Hash: d.Hash(), Authorize: func(r *http.Request) (serve.Grant, error) {
		g, err := found.Grant(r.Context(), "job")
		all := g.Read
		g.Read = func(key string) bool {
			mu.Lock()
			defer mu.Unlock()
			if r.URL.RawQuery == "" {
				read[key] = true
			}
			return key != without && all(key)
		}
		return g, err
	}}, nil)
	b := p.client(t, nil)
	if err := deployFrom(t.Context(), b, d.img.ID, d.disk); err != nil {
		t.Fatal(err)
	}
	keys := []string{}
	for key := range read {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, kind := range []string{"config", "names/", "manifests/", "maps/", "packs/"} {
		if !slices.ContainsFunc(keys, func(k string) bool { return strings.HasPrefix(k, kind) }) {
			t.Errorf("nothing of %s was read", kind)
		}
	}
	for _, key := range keys {
		mu.Lock()
		without = key
		mu.Unlock()
		if err := deployFrom(t.Context(), b, d.img.ID, d.disk); err == nil {
			t.Errorf("the deploy works without %s", key)
		}
	}
	without = ""
	refused := p.data.Stats.Refused.Load()
	if err := deployFrom(t.Context(), b, d.other.ID, d.disk); !errors.As(err, new(*catalog.NotFoundError)) {
		t.Errorf("another job's image: %v", err)
	}
	for _, key := range d.keysOf(t, d.other) {
		if err := b.Get(t.Context(), key, make([]byte, 1), 0); !errors.As(err, new(*remote.DeniedError)) {
			t.Errorf("%s of another job's image: %v", key, err)
		}
	}
	own := "packs/" + d.img.Manifest.Hash.Sum([]byte("x")).String()
	if err := b.Put(t.Context(), own, []byte("x")); !errors.As(err, new(*remote.DeniedError)) {
		t.Errorf("put by a deploy: %v", err)
	}
	if err := b.Delete(t.Context(), keys[0]); !errors.As(err, new(*remote.DeniedError)) {
		t.Errorf("delete by a deploy: %v", err)
	}
	if n := p.data.Stats.Refused.Load() - refused; n < 4 {
		t.Errorf("%d refusals were counted", n)
	}
}

// keysOf are the keys of an image that no other one has.
func (d depot) keysOf(t *testing.T, img catalog.Image) []string {
	t.Helper()
	keys := []string{"manifests/" + img.ID.String(), "maps/" + img.Manifest.Regions[0].Map[0].ID.String(), "names/exam/v1"}
	packs, err := content.Packs(t.Context(), d.Store, img.Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range packs {
		keys = append(keys, "packs/"+id.String())
	}
	return keys
}

// TestNeedsAfterACleanUp moves the chunks of an image into other packs while it is
// deployed: the first to meet it finds them, though the grant is older.
func TestNeedsAfterACleanUp(t *testing.T) {
	d := newDepot(t)
	found := d.needs(d.img.ID)
	p := start(t, serve.Config{Backend: d.backend, Hash: d.Hash(), Authorize: func(r *http.Request) (serve.Grant, error) {
		return found.Grant(r.Context(), "job")
	}}, nil)
	b := p.client(t, nil)
	if err := deployFrom(t.Context(), b, d.img.ID, d.disk); err != nil {
		t.Fatal(err)
	}
	packs, err := content.Packs(t.Context(), d.Store, d.img.Manifest, func(err error) error { return err })
	if err != nil {
		t.Fatal(err)
	}
	var moved []chunk.ID
	for _, id := range packs {
		data, err := d.Pack(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		data[12] = 1 // another nonce, another name, the same chunks
		other := d.Hash().Sum(data)
		if err := errors.Join(d.backend.Put(t.Context(), "packs/"+other.String(), data), d.backend.Delete(t.Context(), "packs/"+id.String())); err != nil {
			t.Fatal(err)
		}
		moved = append(moved, other)
	}
	if _, err := d.Reindex(t.Context(), moved); err != nil {
		t.Fatal(err)
	}
	if err := deployFrom(t.Context(), b, d.img.ID, d.disk); err != nil {
		t.Error(err)
	}
}

// capturing is a server for one capture.
func capturing(t *testing.T, d depot, change func(serve.Grant) serve.Grant) (place, *remote.Backend) {
	t.Helper()
	began := time.Now()
	var p place
	p = start(t, serve.Config{Backend: d.backend, Hash: d.Hash(), Authorize: func(r *http.Request) (serve.Grant, error) {
		g := p.data.ForCapture(r.Context(), serve.Capture{Token: token, Name: "lab", Began: began}, "job")
		if change != nil {
			g = change(g)
		}
		return g, nil
	}}, nil)
	return p, p.client(t, nil)
}

// TestCaptureGrant captures with what a capture may do: new chunks alone are stored,
// the next version is found, and nothing of others can be read or removed.
func TestCaptureGrant(t *testing.T) {
	d := newDepot(t)
	p, b := capturing(t, d, nil)
	s, err := store.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(capturetest.Small, 2<<20, 1, 3)
	ses, err := s.Begin(t.Context(), "capture")
	if err != nil {
		t.Fatal(err)
	}
	if err := ses.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	id, err := capturetest.Capture(t.Context(), s, "lab", disk)
	if err != nil {
		t.Fatal(err)
	}
	if err := capturetest.Check(t.Context(), d.Store, id, disk); err != nil {
		t.Error(err)
	}
	if img, err := catalog.Find(t.Context(), d.Store, "lab:v2"); err != nil || img.ID != id {
		t.Errorf("lab:v2: %v", err)
	}
	if got := p.data.Stats.Received.Load(); got > 2<<20 {
		t.Errorf("%d bytes were sent of a disk of which half was there", got)
	}
	leases, err := d.Leases(t.Context())
	if err != nil || len(leases) > 0 {
		t.Errorf("leases left: %v, %v", leases, err)
	}
	for _, key := range append(d.keysOf(t, d.img), d.keysOf(t, d.other)...) {
		if strings.HasPrefix(key, "names/") {
			continue
		}
		if err := b.Get(t.Context(), key, make([]byte, 1), 0); !errors.As(err, new(*remote.DeniedError)) {
			t.Errorf("a capture may read %s: %v", key, err)
		}
	}
	foreign := "sessions/" + strings.Repeat("ab", 16) + ".0"
	for _, key := range append(d.keysOf(t, d.img), "config", "names/lab/v1", "names/exam/v1", foreign) {
		if err := b.Delete(t.Context(), key); !errors.As(err, new(*remote.DeniedError)) {
			t.Errorf("a capture may delete %s: %v", key, err)
		}
	}
	for _, key := range []string{"names/exam/v2", "names/lab/final", "config", "condemned/" + strings.Repeat("ab", 16), foreign} {
		if err := b.Put(t.Context(), key, []byte("x")); !errors.As(err, new(*remote.DeniedError)) {
			t.Errorf("a capture may put %s: %v", key, err)
		}
	}
	if err := b.Delete(t.Context(), "names/lab/v2"); err != nil {
		t.Errorf("a capture cannot take back its own name: %v", err)
	}
}

// TestCaptureNeeds takes one kind of key away: the capture fails, or stores again what
// is there.
func TestCaptureNeeds(t *testing.T) {
	for act, take := range map[string]func(g *serve.Grant, less serve.Keys){
		"read":   func(g *serve.Grant, less serve.Keys) { g.Read = minus(g.Read, less) },
		"put":    func(g *serve.Grant, less serve.Keys) { g.Put = minus(g.Put, less) },
		"delete": func(g *serve.Grant, less serve.Keys) { g.Delete = minus(g.Delete, less) },
		"list":   func(g *serve.Grant, less serve.Keys) { g.List = minus(g.List, less) },
	} {
		kinds := map[string][]string{
			"read": {"config", "sessions/", "indexes/"}, "put": {"packs/", "maps/", "manifests/", "indexes/", "names/", "sessions/"},
			"delete": {"sessions/"}, "list": {"packs/"},
		}
		for _, kind := range kinds[act] {
			t.Run(act+" "+kind, func(t *testing.T) {
				d := newDepot(t)
				p, b := capturing(t, d, func(g serve.Grant) serve.Grant {
					take(&g, func(key string) bool { return strings.HasPrefix(key, kind) })
					return g
				})
				s, err := store.Open(t.Context(), b)
				if err == nil {
					_, err = capturetest.Capture(t.Context(), s, "lab", capturetest.Disk(capturetest.Small, 2<<20, 1, 3))
				}
				if err == nil && p.data.Stats.Received.Load() < 2<<20 {
					t.Errorf("the capture is none the worse: %d bytes were sent", p.data.Stats.Received.Load())
				}
			})
		}
	}
}

func minus(keys, less serve.Keys) serve.Keys {
	return func(key string) bool { return !less(key) && keys != nil && keys(key) }
}

// TestLiesAreNotStored puts objects that are not what their name says.
func TestLiesAreNotStored(t *testing.T) {
	hash := chunk.DefaultHash
	b := &mem.Backend{}
	p := start(t, serve.Config{Backend: b, Hash: hash}, nil)
	c := p.client(t, nil)
	for _, kind := range []string{"packs", "maps", "manifests", "indexes"} {
		key := kind + "/" + hash.Sum([]byte("truth")).String()
		if err := c.Put(t.Context(), key, []byte("lies!")); err == nil {
			t.Errorf("%s: a lie was stored", kind)
		}
		if _, err := b.Stat(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %v", key, err)
		}
		// What is damaged there is replaced by who has the bytes.
		if err := b.Put(t.Context(), key, []byte("trutX")); err != nil {
			t.Fatal(err)
		}
		if err := c.Put(t.Context(), key, []byte("lies!")); err == nil {
			t.Errorf("%s: a lie was stored", kind)
		}
		if _, err := b.Stat(t.Context(), key); err != nil {
			t.Errorf("%s: a lie removed what was left of it: %v", kind, err)
		}
		for range 2 {
			if err := c.Put(t.Context(), key, []byte("truth")); err != nil {
				t.Errorf("%s: %v", kind, err)
			}
		}
		got := make([]byte, 5)
		if err := b.Get(t.Context(), key, got, 0); err != nil || !bytes.Equal(got, []byte("truth")) {
			t.Errorf("%s holds %q, %v", kind, got, err)
		}
	}
	for _, key := range []string{"names/lab/v1", "sessions/" + strings.Repeat("ab", 16) + ".0", "config"} {
		if err := c.Put(t.Context(), key, []byte("ingot 1 no seal")); err == nil {
			t.Errorf("%s without its checksum was stored", key)
		}
	}
	if n := p.data.Stats.BadBytes.Load(); n != 11 {
		t.Errorf("%d lies were counted, not 11", n)
	}
}
