package blocktest

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
)

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
