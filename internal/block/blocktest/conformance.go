package blocktest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
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

// testModel compares random reads and writes, most of them unaligned, with a
// slice.
func testModel(t *testing.T, w block.Writer) {
	fill(t, w, 3)
	model := contents(t, w)
	rng := rand.New(rand.NewPCG(3, 0))
	for i := range 300 {
		p := pattern(uint64(i), randomLength(rng))
		off := rng.Int64N(suiteSize - int64(len(p)))
		if rng.IntN(2) == 0 {
			off &^= 4095
		}
		write(t, w, p, off)
		copy(model[off:], p)
		if i%100 == 50 {
			if err := w.Sync(); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, randomLength(rng))
		off = rng.Int64N(suiteSize - int64(len(got)))
		read(t, w, got, off)
		if !bytes.Equal(got, model[off:][:len(got)]) {
			t.Fatalf("after %d writes, %d bytes at %d are not what was written", i+1, len(got), off)
		}
	}
	if !bytes.Equal(contents(t, w), model) {
		t.Fatal("the device differs from what was written")
	}
}

func randomLength(rng *rand.Rand) int {
	switch rng.IntN(3) {
	case 0:
		return 1 + rng.IntN(600)
	case 1:
		return 4096 * (1 + rng.IntN(30))
	}
	return 1 + rng.IntN(200_000)
}

// testConcurrent lets goroutines write ranges that differ but share sectors.
func testConcurrent(t *testing.T, w block.Writer) {
	const workers, stripe = 8, 100
	want := pattern(4, workers*stripe*200)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for off := i * stripe; off < len(want); off += workers * stripe {
				if n, err := w.WriteAt(want[off:off+stripe], int64(off)); n != stripe || err != nil {
					t.Errorf("write %d bytes at %d: %d, %v", stripe, off, n, err)
					return
				}
			}
		})
		wg.Go(func() {
			off := int64(1<<20 + i*128<<10)
			p := pattern(uint64(i), 128<<10)
			if n, err := w.WriteAt(p, off); n != len(p) || err != nil {
				t.Errorf("write %d bytes at %d: %d, %v", len(p), off, n, err)
			}
		})
	}
	wg.Wait()
	got := make([]byte, len(want))
	read(t, w, got, 0)
	if !bytes.Equal(got, want) {
		t.Error("writes of neighbouring ranges overwrote each other")
	}
	for i := range workers {
		got := make([]byte, 128<<10)
		read(t, w, got, int64(1<<20+i*128<<10))
		if !bytes.Equal(got, pattern(uint64(i), 128<<10)) {
			t.Errorf("what worker %d wrote is not there", i)
		}
	}
}

// testNextData checks that ranges ascend and that all else is zeros.
func testNextData(t *testing.T, w block.Writer) {
	sparse, ok := w.(block.Sparse)
	if !ok {
		return
	}
	write(t, w, pattern(5, 5000), 1<<20+1234)
	write(t, w, pattern(6, 1), suiteSize-1)
	image := contents(t, w)
	for off := int64(0); off < suiteSize; {
		start, end, err := sparse.NextData(off)
		if err != nil || start < off || end > suiteSize || start < suiteSize && end <= start {
			t.Fatalf("NextData(%d) = %d, %d, %v", off, start, end, err)
		}
		if len(bytes.TrimLeft(image[off:start], "\x00")) > 0 {
			t.Fatalf("NextData(%d) = %d skips data", off, start)
		}
		if start == suiteSize {
			t.Fatal("the last byte is data, and NextData does not find it")
		}
		off = end
	}
	if start, end, err := sparse.NextData(suiteSize); start != suiteSize || end != suiteSize || err != nil {
		t.Errorf("NextData at the end = %d, %d, %v", start, end, err)
	}
}

func testZero(t *testing.T, w block.Writer) {
	z, ok := w.(interface{ Zero(off, n int64) error })
	if !ok {
		return
	}
	fill(t, w, 7)
	model := contents(t, w)
	for _, r := range [][2]int64{{0, 1}, {1000, 100}, {5000, 70_000}, {1 << 20, 1 << 20}, {suiteSize - 700, 700}, {9, 0}} {
		if err := z.Zero(r[0], r[1]); err != nil {
			t.Fatalf("zero %d bytes at %d: %v", r[1], r[0], err)
		}
		clear(model[r[0]:][:r[1]])
	}
	if !bytes.Equal(contents(t, w), model) {
		t.Error("the device is not zero where it was zeroed, or elsewhere too")
	}
	if err := z.Zero(suiteSize-10, 11); err == nil {
		t.Error("zeroed bytes behind the end")
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
