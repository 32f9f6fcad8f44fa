package browse

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
)

// TestByChunks compares stretches of two images, as if they were files, by their
// chunks and by their bytes. What chunks tell must be true.
func TestByChunks(t *testing.T) {
	s, err := store.OpenOrCreate(t.Context(), &mem.Backend{})
	if err != nil {
		t.Fatal(err)
	}
	disks := [2]*blocktest.Memory{capturetest.Disk(16<<20, 3<<20, 1, 2, 3), capturetest.Disk(16<<20, 3<<20, 1, 2, 4)}
	for i := range int64(4) { // in the bytes that both have
		if _, err := disks[1].WriteAt([]byte("changed"), 500_000*i+12_345); err != nil {
			t.Fatal(err)
		}
	}
	c := &comparison{}
	var contents [2]content.Random
	for i, disk := range disks {
		src := content.NewStored(s, capturetest.Image(t, s, fmt.Sprintf("a:v%d", i), disk).Manifest)
		c.chunks[i] = chunkFinder{source: src}
		if contents[i], err = src.Open(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		defer contents[i].Close()
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	told := 0
	for range 300 {
		d := files.Data{Size: 1 + rnd.Int64N(1<<20), At: 4096 * rnd.Int64N(3800)}
		e := d
		if rnd.IntN(4) == 0 {
			e.At = 4096 * rnd.Int64N(3800)
		}
		want := [2][]byte{make([]byte, d.Size), make([]byte, d.Size)}
		for i, at := range []int64{d.At, e.At} {
			if err := block.ReadFull(disks[i], want[i], at); err != nil {
				t.Fatal(err)
			}
		}
		same := bytes.Equal(want[0], want[1])
		differ, unknown, err := c.byChunks(t.Context(), newListedFile(contents[0], &d), newListedFile(contents[1], &e))
		if err != nil || differ && same || !differ && len(unknown) == 0 && !same {
			t.Fatalf("%d bytes at %#x and %#x: differ %v, unknown %v, %v; are the same: %v", d.Size, d.At, e.At, differ, unknown, err, same)
		}
		for _, x := range unknown.Complement(d.Size) {
			if !differ && !bytes.Equal(want[0][x.Start:x.End()], want[1][x.Start:x.End()]) {
				t.Fatalf("%d bytes at %#x: %v is not the same", d.Size, d.At, x)
			}
		}
		if differ || len(unknown) == 0 {
			told++
		}
	}
	if told < 100 {
		t.Errorf("chunks told of %d stretches of 300 only", told)
	}
}

// TestListedFile reads files with and without holes at random places.
func TestListedFile(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	contents := make(memoryRandom, 1<<20)
	for i := range contents {
		contents[i] = byte(rnd.Uint32())
	}
	for range 200 {
		d, want := randomData(rnd, contents)
		f := newListedFile(contents, &d)
		for range 20 {
			off := rnd.Int64N(d.Size)
			got := make([]byte, 1+rnd.Int64N(d.Size-off))
			if err := readFull(f, got, off); err != nil || !bytes.Equal(got, want[off:off+int64(len(got))]) {
				t.Fatalf("%d bytes at %d of %+v: %v", len(got), off, d, err)
			}
		}
		if n, err := f.ReadAt(make([]byte, 10), d.Size-5); n != min(5, int(d.Size)) || err == nil {
			t.Errorf("at the end: %d bytes, %v", n, err)
		}
	}
}

type memoryRandom []byte

func (m memoryRandom) Size() int64  { return int64(len(m)) }
func (m memoryRandom) Close() error { return nil }
func (m memoryRandom) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(m).ReadAt(p, off)
}

// randomData makes a file up, and its bytes.
func randomData(rnd *rand.Rand, contents []byte) (files.Data, []byte) {
	const grid = 4096
	d := files.Data{Size: 10 + rnd.Int64N(100_000), At: grid * rnd.Int64N(100)}
	want := make([]byte, d.Size)
	if d.Sparse = rnd.IntN(2) == 0; !d.Sparse {
		copy(want, contents[d.At:])
		return d, want
	}
	at := d.At
	for start := grid * rnd.Int64N(4); start < d.Size; start += grid * (2 + rnd.Int64N(4)) {
		e := extent.Extent{Start: start, Length: min(grid*(1+rnd.Int64N(2)), d.Size-start)}
		copy(want[e.Start:e.End()], contents[at:])
		d.Stored = append(d.Stored, e)
		at += (e.Length + grid - 1) / grid * grid
		start = (e.End() + grid - 1) / grid * grid
	}
	return d, want
}
