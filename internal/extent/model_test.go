package extent

import (
	"math/rand/v2"
	"testing"
)

// universe is the size of the sets that are compared with a bitmap.
const universe = 200

// bitmap is a set of bytes, the slow and obvious way.
type bitmap [universe]bool

func (m *bitmap) add(start, length int64) {
	for i := start; i < start+length; i++ {
		m[i] = true
	}
}

func bitsOf(t *testing.T, l List) (m bitmap) {
	t.Helper()
	if err := l.Valid(universe); err != nil {
		t.Fatal(err)
	}
	for _, e := range l {
		m.add(e.Start, e.Length)
	}
	return m
}

func (m bitmap) each(f func(i int64, have bool) bool) (out bitmap) {
	for i, have := range m {
		out[i] = f(int64(i), have)
	}
	return out
}

// random returns extents in any order, some empty, some overlapping.
func random(r *rand.Rand) []Extent {
	out := make([]Extent, r.IntN(12))
	for i := range out {
		start := r.Int64N(universe)
		out[i] = Extent{start, r.Int64N(min(40, universe-start) + 1)}
	}
	return out
}

func TestAlgebraAgainstBitmap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		ea, eb := random(r), random(r)
		a, b := Of(ea...), Of(eb...)
		var ma, mb bitmap
		for _, e := range ea {
			ma.add(e.Start, e.Length)
		}
		for _, e := range eb {
			mb.add(e.Start, e.Length)
		}
		clip := Extent{r.Int64N(universe), r.Int64N(universe)}
		grid := int64(1) << r.IntN(5)
		size := r.Int64N(universe) + 1
		for _, c := range []struct {
			op   string
			got  List
			want bitmap
		}{
			{"of", a, ma},
			{"union", a.Union(b), ma.each(func(i int64, in bool) bool { return in || mb[i] })},
			{"intersect", a.Intersect(b), ma.each(func(i int64, in bool) bool { return in && mb[i] })},
			{"subtract", a.Subtract(b), ma.each(func(i int64, in bool) bool { return in && !mb[i] })},
			{"complement", a.Complement(universe), ma.each(func(_ int64, in bool) bool { return !in })},
			{"complement of a part", a.Complement(size), ma.each(func(i int64, in bool) bool { return !in && i < size })},
			{"clip", a.Clip(clip), ma.each(func(i int64, in bool) bool { return in && i >= clip.Start && i < clip.End() })},
			{"align", a.Align(grid, universe), aligned(ma, grid)},
			{"shift", a.Shift(7).Shift(-7), ma},
		} {
			if bitsOf(t, c.got) != c.want {
				t.Fatalf("%s of %v and %v (clip %v, grid %d, size %d): got %v", c.op, a, b, clip, grid, size, c.got)
			}
		}
		count, end := int64(0), int64(0)
		for i, in := range ma {
			if in {
				count, end = count+1, int64(i)+1
			}
		}
		if a.Bytes() != count || a.End() != end {
			t.Fatalf("%v: %d bytes to %d, want %d to %d", a, a.Bytes(), a.End(), count, end)
		}
	}
}

func aligned(m bitmap, grid int64) (out bitmap) {
	for i, in := range m {
		if in {
			start := int64(i) / grid * grid
			out.add(start, min(grid, universe-start))
		}
	}
	return out
}

// A Builder with room gives the set that was added; one without gives more, within
// its limit, and counts what was added.
func TestBuilderAgainstBitmap(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		exact, tight := Builder{}, Builder{Limit: 1 + r.IntN(4)}
		var m bitmap
		for start := int64(0); start < universe; start += r.Int64N(20) {
			n := r.Int64N(min(15, universe-start) + 1)
			exact.Add(start, n)
			tight.Add(start, n)
			m.add(start, n)
		}
		if bitsOf(t, exact.List()) != m {
			t.Fatalf("got %v", exact.List())
		}
		want := exact.List().Bytes()
		if exact.Bytes() != want || tight.Bytes() != want {
			t.Fatalf("counted %d and %d of %d bytes", exact.Bytes(), tight.Bytes(), want)
		}
		if len(tight.List()) > tight.Limit || len(exact.List().Subtract(tight.List())) > 0 {
			t.Fatalf("limit %d: got %v of %v", tight.Limit, tight.List(), exact.List())
		}
	}
}

func TestValidRefuses(t *testing.T) {
	for _, l := range []List{
		{{-1, 2}}, {{0, 0}}, {{0, -1}}, {{90, 11}}, {{100, 1}}, {{1, 1<<63 - 1}},
		{{0, 5}, {4, 2}}, {{0, 5}, {5, 2}}, {{10, 5}, {0, 2}},
	} {
		if l.Valid(100) == nil {
			t.Errorf("%v passes as valid", l)
		}
	}
}
