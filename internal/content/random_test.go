package content_test

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// TestOpen reads an image at random places, by several goroutines, and compares
// with the disk.
func TestOpen(t *testing.T) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(capturetest.Large, 3<<20, 1, 2, 3, 4)
	img := capturetest.Image(t, s, "a:1", disk)
	r, err := content.NewStored(s, img.Manifest).Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	for seed := range uint64(4) {
		readers.Go(func() {
			rnd := rand.New(rand.NewPCG(seed, 0))
			for range 200 {
				off := rnd.Int64N(disk.Size())
				n := min(1+rnd.Int64N(2<<20), disk.Size()-off)
				got, want := make([]byte, n), make([]byte, n)
				if err := block.ReadFull(disk, want, off); err != nil {
					t.Error(err)
				}
				if err := block.ReadFull(r, got, off); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d bytes at %#x differ: %v", n, off, err)
					return
				}
			}
		})
	}
	readers.Wait()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
