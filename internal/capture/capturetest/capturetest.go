// Package capturetest makes images of disks in memory, and reads them back, for
// the tests of everything that works on images in a store.
//
// Disks are taken raw, without a look at what is on them; begin with Disk and
// Image. It asks no file system and no other program.
package capturetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// Small is the size of a disk with one segment of map, Large that of one with two.
const (
	Small = 4 << 20
	Large = image.SegmentSpan + 8<<20
)

// Disk returns a disk of size bytes with n bytes for each seed, half of them
// compressible, spread from its start to its end, and zeros between. Disks share
// the bytes of the seeds they share.
func Disk(size int64, n int, seeds ...uint64) *blocktest.Memory {
	disk := blocktest.NewMemory(size, block.DefaultSectorSize)
	for i, seed := range seeds {
		r := rand.New(rand.NewPCG(seed, 0))
		data := make([]byte, n)
		for at := range data {
			data[at] = byte(r.Uint32())
			if at < n/2 {
				data[at] = "abcd"[data[at]&3]
			}
		}
		off := (size - int64(n)) * int64(i) / int64(max(1, len(seeds)-1)) &^ (chunk.Grid - 1)
		if _, err := disk.WriteAt(data, off); err != nil {
			panic(err) // the test's own sizes are wrong
		}
	}
	return disk
}

// Image captures disk as ref, "lab:v1".
func Image(t testing.TB, s *store.Store, ref string, disk block.Reader) catalog.Image {
	t.Helper()
	id, err := Capture(t.Context(), s, ref, disk)
	if err != nil {
		t.Fatal(err)
	}
	m, err := catalog.Manifest(t.Context(), s, id)
	if err != nil {
		t.Fatal(err)
	}
	name, tag, _ := strings.Cut(ref, ":")
	return catalog.Image{ID: id, Names: []store.Name{{Name: name, Tag: tag, Image: id}}, Manifest: m}
}

// Capture captures disk as ref.
func Capture(ctx context.Context, s *store.Store, ref string, disk block.Reader) (id chunk.ID, err error) {
	ses, err := s.Begin(ctx, "test")
	if err != nil {
		return id, err
	}
	defer func() {
		if cerr := ses.Close(ctx); err == nil {
			err = cerr
		}
	}()
	plan := planOf(disk)
	regions, err := plan.Run(ctx, s, ses, &progress.Work{})
	if err != nil {
		return id, err
	}
	m := &image.Manifest{Format: image.Format, Created: time.Now().UTC(), Program: "test", Host: "test", Note: ref, Hash: s.Hash(), Disk: plan.Disk, Regions: regions}
	data, err := m.Encode()
	if err != nil {
		return id, err
	}
	name, tag, _ := strings.Cut(ref, ":")
	return ses.Publish(ctx, data, func(id chunk.ID) (string, error) {
		key, _, err := catalog.Put(ctx, s, name, tag, id)
		return key, err
	})
}

func planOf(disk block.Reader) *capture.Plan {
	r := capture.Region{Window: disk, Used: extent.Of(extent.Extent{Length: disk.Size()})}
	r.Region = image.Region{Size: disk.Size(), Rest: image.Zeros, Volume: &image.Volume{Kind: "unknown", Size: disk.Size(), Method: image.AllSectors}}
	from := image.Disk{Path: "test", Size: disk.Size(), SectorSize: block.DefaultSectorSize}
	return &capture.Plan{Disk: from, Regions: []capture.Region{r}}
}

// WrongBytesError says that an image was read without an error and is not what
// was captured: what must never happen.
type WrongBytesError struct{ Offset int64 }

func (e *WrongBytesError) Error() string { return fmt.Sprintf("wrong bytes at %#x", e.Offset) }

// Check reads the whole image and compares it with the disk it was made of.
func Check(ctx context.Context, s *store.Store, id chunk.ID, disk block.Reader) error {
	m, err := catalog.Manifest(ctx, s, id)
	if err != nil {
		return err
	}
	src := content.NewStored(s, m)
	places := []content.Place{{Size: m.Disk.Size}}
	var mu sync.Mutex
	covered := int64(0)
	err = content.Each(ctx, src, places, func(f content.Fetcher) content.Worker {
		var want, got []byte
		return func(ctx context.Context, t content.Task) error {
			for _, e := range t.Piece.Entries {
				if int64(len(want)) < e.Length {
					want, got = make([]byte, e.Length), make([]byte, e.Length)
				}
				want, got := want[:e.Length], got[:e.Length]
				clear(got)
				if !e.Zero {
					if err := f.Fetch(ctx, t.Piece.Region, e, got); err != nil {
						return err
					}
				}
				if err := block.ReadFull(disk, want, e.Offset); err != nil {
					return err
				}
				if !bytes.Equal(want, got) {
					return &WrongBytesError{e.Offset}
				}
				mu.Lock()
				covered += e.Length
				mu.Unlock()
			}
			return nil
		}
	})
	if err == nil && covered != disk.Size() {
		return &WrongBytesError{covered}
	}
	return err
}
