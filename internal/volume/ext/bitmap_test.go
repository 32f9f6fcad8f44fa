package ext

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestBitmapRuns compares runs with a walk bit by bit, over bitmaps that are
// empty, full and anything between, cut at every length.
func TestBitmapRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for n := range uint64(257) {
		b := make(bitmap, 40)
		density := random.IntN(9)
		for i := range uint64(320) {
			if random.IntN(8) < density {
				b.set(i, i+1)
			}
		}
		var want []uint64
		for i := range n {
			set := b[i/8]>>(i%8)&1 == 1
			if open := len(want)%2 == 1; set != open {
				want = append(want, i)
			}
		}
		if len(want)%2 == 1 {
			want = append(want, n)
		}
		var got []uint64
		for from, to := range b.runs(n) {
			got = append(got, from, to)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d bits of %x: runs %v, want %v", n, b, got, want)
		}
	}
}
