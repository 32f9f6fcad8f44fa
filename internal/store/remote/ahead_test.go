package remote_test

import (
	"context"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/store/serve"
)

// stocked is a server with one image.
func stocked(t testing.TB, bytes int) (place, catalog.Image) {
	t.Helper()
	b, err := local.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.OpenOrCreate(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	img := capturetest.Image(t, s, "lab:v1", capturetest.Disk(int64(bytes)+4<<20, bytes/2, 1, 2))
	return start(t, serve.Config{Backend: b, Hash: s.Hash()}, nil), img
}

// readAll reads all chunks of an image as a deploy to an empty disk does.
func readAll(ctx context.Context, b store.Backend, m *image.Manifest) (plain int64, err error) {
	s, err := store.Open(ctx, b)
	if err != nil {
		return 0, err
	}
	var total atomic.Int64
	err = content.Each(ctx, content.NewStored(s, m), []content.Place{{Size: m.Disk.Size}}, func(f content.Fetcher) content.Worker {
		var buf []byte
		return func(ctx context.Context, t content.Task) error {
			if err := content.FetchAhead(ctx, f, t.Piece.Region, t.Piece.Entries); err != nil {
				return err
			}
			buf = t.Piece.Buffer(buf)
			for _, e := range t.Piece.Entries {
				if e.Zero {
					continue
				}
				if err := f.Fetch(ctx, t.Piece.Region, e, buf[:e.Length]); err != nil {
					return err
				}
				total.Add(e.Length)
			}
			return nil
		}
	})
	return total.Load(), err
}

// TestAheadFetchesOnce reads an image: every byte of its packs comes about once, in
// requests of a few megabytes.
func TestAheadFetchesOnce(t *testing.T) {
	p, img := stocked(t, 32<<20)
	var traffic progress.Traffic
	b := p.client(t, func(c *remote.Config) { c.Traffic = &traffic })
	plain, err := readAll(t.Context(), b, img.Manifest)
	if err != nil || plain != 32<<20 {
		t.Fatalf("read %d bytes: %v", plain, err)
	}
	packs := int64(0)
	if err := b.List(t.Context(), "packs/", func(o store.Object) error { packs += o.Size; return nil }); err != nil {
		t.Fatal(err)
	}
	fetched, requests := traffic.In.Load(), p.data.Stats.Requests.Load()
	t.Logf("%d KiB of packs, %d KiB fetched in %d requests", packs>>10, fetched>>10, requests)
	if fetched > packs+packs/50+1<<20 {
		t.Errorf("%d bytes were fetched of packs of %d", fetched, packs)
	}
	if requests > 30 {
		t.Errorf("it took %d requests", requests)
	}
	if traffic.Busy() <= 0 {
		t.Error("nobody waited for the network")
	}
}

// TestReadOnFetchesOnce reads an image from one end to the other, little by little, as
// the kernel does for somebody who looks into it.
func TestReadOnFetchesOnce(t *testing.T) {
	p, img := stocked(t, 16<<20)
	var traffic progress.Traffic
	b := p.client(t, func(c *remote.Config) { c.Traffic = &traffic })
	s, err := store.Open(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	r, err := content.NewStored(s, img.Manifest).Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{io.NewSectionReader(r, 0, r.Size())}, make([]byte, 128<<10)); err != nil || n != r.Size() {
		t.Fatalf("read %d bytes: %v", n, err)
	}
	packs := int64(0)
	if err := b.List(t.Context(), "packs/", func(o store.Object) error { packs += o.Size; return nil }); err != nil {
		t.Fatal(err)
	}
	if fetched := traffic.In.Load(); fetched > packs+packs/50+1<<20 {
		t.Errorf("%d bytes were fetched of packs of %d", fetched, packs)
	}
}

// BenchmarkLatency reads an image through a network that is slow to answer.
func BenchmarkLatency(b *testing.B) {
	p, img := stocked(b, 96<<20)
	for _, latency := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond} {
		b.Run(latency.String(), func(b *testing.B) {
			far := newProxy(b, p.Listener.Addr().String(), latency/2)
			c := p.client(b, func(c *remote.Config) { c.URL = far.url() })
			for b.Loop() {
				plain, err := readAll(b.Context(), c, img.Manifest)
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(plain)
			}
		})
	}
}
