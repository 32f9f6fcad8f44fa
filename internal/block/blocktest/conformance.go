package blocktest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
)

// suiteSize is what the suite asks open for: a multiple of every sector size,
// not of a megabyte.
const suiteSize = 3<<20 + 64<<10

// Writer runs the conformance suite. open makes a fresh device of size bytes,
// whose contents may be anything, and closes it when the test ends. A device
// that also has Zero is tested for it.
func Writer(t *testing.T, open func(t *testing.T, size int64) block.Writer) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, block.Writer)
	}{
		{"geometry", testGeometry},
		{"read the edges", testReadEdges},
		{"write outside", testWriteOutside},
		{"leave the caller's memory alone", testMemory},
		{"behave like a slice", testModel},
		{"write by many", testConcurrent},
		{"find data", testNextData},
		{"zero", testZero},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t, suiteSize)) })
	}
}

func testGeometry(t *testing.T, w block.Writer) {
	if w.Size() != suiteSize {
		t.Errorf("Size() = %d, want %d", w.Size(), suiteSize)
	}
	if s := block.SectorSizeOf(w); s < 512 || s&(s-1) != 0 {
		t.Errorf("sector size %d is no power of two of at least 512", s)
	}
}

func testReadEdges(t *testing.T, w block.Writer) {
	fill(t, w, 1)
	p := make([]byte, 1000)
	if n, err := w.ReadAt(p, suiteSize-1000); n != 1000 || err != nil && err != io.EOF {
		t.Errorf("read up to the end: %d, %v", n, err)
	}
	last := bytes.Clone(p[900:])
	if n, err := w.ReadAt(p, suiteSize-100); n != 100 || err != io.EOF || !bytes.Equal(p[:100], last) {
		t.Errorf("read over the end: %d, %v; want 100 right bytes and io.EOF", n, err)
	}
	if n, err := w.ReadAt(p, suiteSize); n != 0 || err != io.EOF {
		t.Errorf("read at the end: %d, %v; want 0, io.EOF", n, err)
	}
	if n, err := w.ReadAt(p, suiteSize+1<<40); n != 0 || err != io.EOF {
		t.Errorf("read far behind the end: %d, %v; want 0, io.EOF", n, err)
	}
	if n, err := w.ReadAt(p, -1); n != 0 || err == nil || err == io.EOF {
		t.Errorf("read at -1: %d, %v; want an error", n, err)
	}
}

func testWriteOutside(t *testing.T, w block.Writer) {
	fill(t, w, 1)
	before := contents(t, w)
	for _, off := range []int64{-1, suiteSize - 99, suiteSize, 1 << 50} {
		n, err := w.WriteAt(make([]byte, 100), off)
		var outside *block.RangeError
		if n != 0 || !errors.As(err, &outside) {
			t.Errorf("write 100 bytes at %d of %d: %d, %v; want 0 and a *block.RangeError", off, int64(suiteSize), n, err)
		}
	}
	if n, err := w.WriteAt(nil, suiteSize); n != 0 || err != nil {
		t.Errorf("write nothing at the end: %d, %v", n, err)
	}
	if w.Size() != suiteSize || !bytes.Equal(contents(t, w), before) {
		t.Error("a refused write changed the device")
	}
}

func testMemory(t *testing.T, w block.Writer) {
	p := pattern(2, 10_000)
	want := bytes.Clone(p)
	write(t, w, p, 777)
	if !bytes.Equal(p, want) {
		t.Error("WriteAt changed the bytes it was given")
	}
	clear(p)
	got := make([]byte, 10_000)
	read(t, w, got, 777)
	if !bytes.Equal(got, want) {
		t.Error("WriteAt kept the memory it was given")
	}
}

// pattern returns random bytes, none of them zero.
func pattern(seed uint64, n int) []byte {
	p := make([]byte, 0, n+8)
	for rng := rand.New(rand.NewPCG(seed, 1)); len(p) < n; {
		p = binary.LittleEndian.AppendUint64(p, rng.Uint64()|0x0101010101010101)
	}
	return p[:n:n]
}

func fill(t *testing.T, w block.Writer, seed uint64) {
	t.Helper()
	write(t, w, pattern(seed, suiteSize), 0)
}

func contents(t *testing.T, w block.Writer) []byte {
	t.Helper()
	p := make([]byte, suiteSize)
	read(t, w, p, 0)
	return p
}

func read(t *testing.T, r block.Reader, p []byte, off int64) {
	t.Helper()
	if err := block.ReadFull(r, p, off); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, w block.Writer, p []byte, off int64) {
	t.Helper()
	if n, err := w.WriteAt(p, off); n != len(p) || err != nil {
		t.Fatalf("write %d bytes at %d: %d, %v", len(p), off, n, err)
	}
}
