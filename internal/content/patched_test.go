package content_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/view"
)

const mib = 1 << 20

// TestPatched changes regions at random and deploys them: every byte in use is
// then what the layer reads.
func TestPatched(t *testing.T) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(20*mib, 3*mib, 1, 2, 3, 4)
	stored := content.NewStored(s, capturetest.Image(t, s, "a:1", disk).Manifest)
	for seed := range uint64(18) {
		r := rand.New(rand.NewPCG(seed, 0))
		rest := []image.Rest{image.Free, image.Zeros}[seed%2]
		var base source = stored
		regions := stored.Regions()
		regions[0].Rest = rest
		if seed%3 == 0 {
			used := extent.Of(extent.Extent{Length: disk.Size()})
			if rest == image.Free {
				used = randomList(r, disk.Size(), 40)
			}
			base = content.NewLive(regions, []extent.List{used}, []block.Reader{disk})
		}
		t.Run(fmt.Sprintf("%d, %s, %T", seed, rest, base), func(t *testing.T) {
			testPatched(t, r, base)
		})
	}
}

type source interface {
	content.Source
	content.Opener
}

func testPatched(t *testing.T, r *rand.Rand, base source) {
	layer, change := randomChange(t, r, base)
	src := content.NewPatched(base, map[int]content.Change{0: change})
	if src.Regions()[0].Rest == image.Zeros {
		change.Used = extent.Of(extent.Extent{Length: change.Size})
	}
	checkPieces(t, src, change)
	old := blocktest.NewMemory(change.Size, 512)
	copyTo(t, old, base, r.IntN(2) == 0)
	for _, opts := range []deploy.Options{{Free: deploy.Keep, Readback: true}, {Full: true, Free: deploy.Discard}, {Full: true, Free: deploy.Zero}} {
		target := old.Clone()
		d := deploy.Target{Path: "test", Size: change.Size, SectorSize: 512, CanDiscard: true, DiscardZeroes: true}
		plan, err := deploy.NewPlan("test", nil, src.Regions(), 512, d, opts)
		if err != nil {
			t.Fatal(err)
		}
		if err := plan.Run(t.Context(), src, target, &progress.Work{}); err != nil {
			t.Fatal(err)
		}
		for _, e := range change.Used {
			got, want := make([]byte, e.Length), make([]byte, e.Length)
			if err := block.ReadFull(target, got, e.Start); err != nil {
				t.Fatal(err)
			}
			if err := block.ReadFull(layer, want, e.Start); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("%+v: %v is not what the layer holds", opts, e)
			}
		}
	}
}

// randomChange writes to a layer, which then may have another size.
func randomChange(t *testing.T, r *rand.Rand, base content.Opener) (*view.Layer, content.Change) {
	t.Helper()
	from, err := base.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	layer, err := view.NewLayer(from, from.Size(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { layer.Close(); from.Close() })
	size := []int64{from.Size(), 18*mib + 512, 40*mib - 1536, 16 * mib, 20*mib + 512}[r.IntN(5)]
	if err := layer.Resize(max(size, from.Size())); err != nil {
		t.Fatal(err)
	}
	for range r.IntN(40) {
		data := make([]byte, 1+r.IntN(100<<10))
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		if r.IntN(3) == 0 {
			clear(data)
		}
		if _, err := layer.WriteAt(data, r.Int64N(layer.Size()-int64(len(data)))); err != nil {
			t.Fatal(err)
		}
	}
	if err := layer.Resize(size); err != nil {
		t.Fatal(err)
	}
	return layer, content.Change{Layer: layer, Used: randomList(r, size, 1+r.IntN(200)), Size: size}
}

// randomList is up to n extents of whole sectors inside size.
func randomList(r *rand.Rand, size int64, n int) extent.List {
	var list []extent.Extent
	for range n {
		start := r.Int64N(size/512) * 512
		list = append(list, extent.Extent{Start: start, Length: min(1+r.Int64N(2*size/512/int64(n)), (size-start)/512) * 512})
	}
	return extent.Of(list...)
}

// copyTo makes a target that holds what base has, or something else.
func copyTo(t *testing.T, target *blocktest.Memory, base content.Opener, same bool) {
	t.Helper()
	data := bytes.Repeat([]byte{0xA5}, int(target.Size()))
	if same {
		from, err := base.Open(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := block.ReadFull(from, data[:min(from.Size(), target.Size())], 0); err != nil {
			t.Fatal(err)
		}
		from.Close()
	}
	if _, err := target.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
}

// checkPieces holds the pieces to their contract.
func checkPieces(t *testing.T, src *content.Patched, c content.Change) {
	t.Helper()
	at, kept := int64(0), 0
	var covered extent.List
	err := src.Pieces(t.Context(), 0, func(p content.Piece) error {
		if p.Span.Start != at || p.Span.Start/image.PieceSpan != (p.Span.End()-1)/image.PieceSpan {
			t.Errorf("piece %v behind %#x", p.Span, at)
		}
		at = p.Span.End()
		end := p.Span.Start
		for _, e := range p.Entries {
			if e.Offset < end || e.Length <= 0 || e.Offset+e.Length > at {
				t.Errorf("entry of %d bytes at %#x in %v", e.Length, e.Offset, p.Span)
			}
			end = e.Offset + e.Length
			entry := extent.Extent{Start: e.Offset, Length: e.Length}
			covered = covered.Union(extent.Of(entry))
			if content.Known(e) && len(c.Layer.Dirty().Clip(entry)) > 0 {
				t.Errorf("%v was written to and has its old ID", entry)
			}
			if content.Known(e) {
				kept++
			}
		}
		return nil
	})
	if err != nil || at != c.Size {
		t.Errorf("pieces end at %#x of %#x: %v", at, c.Size, err)
	}
	if missing := c.Used.Subtract(covered); len(missing) > 0 {
		t.Errorf("%v is used and in no entry", missing)
	}
	t.Logf("%d chunks keep their ID", kept)
}

// TestPatchedKeepsTheRest: a change that writes one byte reads one byte's chunk
// from the layer, and nothing of other regions.
func TestPatchedKeepsTheRest(t *testing.T) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	disk := capturetest.Disk(capturetest.Small, mib, 1, 2)
	base := content.NewStored(s, capturetest.Image(t, s, "a:1", disk).Manifest)
	from, err := base.Open(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	layer, err := view.NewLayer(from, from.Size(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer layer.Close()
	if _, err := layer.WriteAt([]byte{1}, 5000); err != nil {
		t.Fatal(err)
	}
	all := extent.Of(extent.Extent{Length: from.Size()})
	changed, known := int64(0), int64(0)
	src := content.NewPatched(base, map[int]content.Change{0: {Layer: layer, Used: all, Size: from.Size()}})
	err = src.Pieces(t.Context(), 0, func(p content.Piece) error {
		for _, e := range p.Entries {
			switch {
			case content.Known(e):
				known += e.Length
			case !e.Zero:
				changed += e.Length
			}
		}
		return nil
	})
	if err != nil || changed == 0 || changed > 512<<10 || known+changed != 2*mib {
		t.Errorf("%d bytes from the layer, %d by their ID: %v", changed, known, err)
	}
	unchanged := content.NewPatched(base, nil)
	if err := unchanged.Pieces(t.Context(), 0, func(content.Piece) error { return nil }); err != nil {
		t.Error(err)
	}
}
