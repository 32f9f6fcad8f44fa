package chunk

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"
)

// noise returns n bytes of splitmix64 from a seed: fixed for ever, unlike a library's.
func noise(seed uint64, n int) []byte {
	b := make([]byte, 0, n+8)
	for x := seed; len(b) < n; {
		x += 0x9E3779B97F4A7C15
		z := (x ^ x>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		b = binary.LittleEndian.AppendUint64(b, z^z>>31)
	}
	return b[:n]
}

// piece is one result of Next.
type piece struct {
	n    int
	zero bool
}

func cutAll(p Params, data []byte) (out []piece) {
	for len(data) > 0 {
		n, zero := p.Next(data)
		out = append(out, piece{n, zero})
		data = data[n:]
	}
	return out
}

func TestNextBounds(t *testing.T) {
	p := DefaultParams
	data := slices.Concat(noise(1, 3<<20), make([]byte, p.Min), noise(2, 100<<10), make([]byte, 5<<20), noise(3, 1<<20+77),
		bytes.Repeat([]byte("x"), 2<<20), make([]byte, p.Min-Grid), noise(4, 5000))
	first, again := cutAll(p, data), cutAll(p, slices.Clone(data))
	if !slices.Equal(first, again) {
		t.Fatal("the same bytes are cut in two ways")
	}
	at := 0
	for i, c := range first {
		last, beforeZeros := i == len(first)-1, i+1 < len(first) && first[i+1].zero
		part := data[at : at+c.n]
		isZeros := len(bytes.Trim(part, "\x00")) == 0
		switch {
		case c.zero != isZeros && (c.zero || len(part) >= p.Min):
			t.Errorf("%d bytes at %#x: zeros %v, said %v", c.n, at, isZeros, c.zero)
		case !last && c.n%Grid != 0:
			t.Errorf("chunk at %#x ends at %#x, off the grid", at, at+c.n)
		case c.zero && c.n < p.Min && !last:
			t.Errorf("%d zeros at %#x are a chunk of their own", c.n, at)
		case !c.zero && (c.n > p.Max || c.n < p.Min && !last && !beforeZeros):
			t.Errorf("chunk of %d bytes at %#x", c.n, at)
		}
		at += c.n
	}
	if at != len(data) {
		t.Errorf("%d of %d bytes were cut", at, len(data))
	}
}

func TestNextMean(t *testing.T) {
	p := DefaultParams
	data := noise(5, 32<<20)
	if mean := len(data) / len(cutAll(p, data)); mean < p.Mean*8/10 || mean > p.Mean*11/10 {
		t.Errorf("chunks of noise are %d bytes long on average, want about %d", mean, p.Mean)
	}
}

// Runs of zeros are taken as a whole, however long, and end the chunk before.
func TestNextZeros(t *testing.T) {
	p := DefaultParams
	for _, n := range []int{1, 100, Grid, p.Min, p.Min + 1, p.Max * 10} {
		if got := cutAll(p, make([]byte, n)); !slices.Equal(got, []piece{{n, true}}) {
			t.Errorf("%d zeros: got %v", n, got)
		}
	}
	data := slices.Concat(noise(6, Grid), make([]byte, p.Min), noise(6, Grid))
	if got, want := cutAll(p, data), []piece{{Grid, false}, {p.Min, true}, {Grid, false}}; !slices.Equal(got, want) {
		t.Errorf("zeros between: got %v, want %v", got, want)
	}
	short := slices.Concat(noise(6, Grid), make([]byte, p.Min-Grid), noise(6, Grid))
	if got := cutAll(p, short); slices.ContainsFunc(got, func(c piece) bool { return c.zero }) {
		t.Errorf("a short run of zeros is a chunk of its own: %v", got)
	}
}

// Blocks that are put in, taken out or changed move the cuts around them only.
func TestNextFindsBack(t *testing.T) {
	p := DefaultParams
	data := noise(7, 8<<20)
	want := ends(p, data, 0)
	edit := 3 << 20
	for name, edited := range map[string][]byte{
		"one block put in":      slices.Concat(data[:edit], noise(8, Grid), data[edit:]),
		"many blocks put in":    slices.Concat(data[:edit], noise(8, 37*Grid), data[edit:]),
		"five blocks taken out": slices.Concat(data[:edit], data[edit+5*Grid:]),
		"one block changed":     slices.Concat(data[:edit], noise(8, Grid), data[edit+Grid:]),
	} {
		got := ends(p, edited, len(data)-len(edited))
		lost := 0
		for end := range want {
			if !got[end] && end > edit {
				lost++
			}
		}
		if lost > 12 {
			t.Errorf("%s: %d of %d cuts behind it are lost", name, lost, len(want))
		}
	}
}

// ends are the offsets of cuts, moved by shift.
func ends(p Params, data []byte, shift int) map[int]bool {
	out := map[int]bool{}
	at := shift
	for _, c := range cutAll(p, data) {
		at += c.n
		out[at] = true
	}
	return out
}

// TestFrozen holds where chunks end. It must never change: a program that cuts
// elsewhere finds nothing of what a store holds.
func TestFrozen(t *testing.T) {
	data := slices.Concat(noise(42, 700<<10), make([]byte, 64<<10), noise(43, 300<<10+123))
	got := []int{}
	for _, c := range cutAll(DefaultParams, data) {
		n := c.n
		if c.zero {
			n = -n
		}
		got = append(got, n)
	}
	want := []int{
		65536, 53248, 49152, 53248, 16384, 61440, 49152, 114688, 196608, 57344, -65536, 16384, 65536, 139264, 45056, 24576, 16384, 123,
	}
	if !slices.Equal(got, want) {
		t.Errorf("lengths of chunks, negative for zeros: got %v, want %v", got, want)
	}
}

func TestValid(t *testing.T) {
	if err := DefaultParams.Valid(); err != nil {
		t.Error(err)
	}
	for _, p := range []Params{{}, {Grid, Grid, Grid}, {1000, 8192, 16384}, {Grid, 2 * Grid, Grid}, {2 * Grid, Grid, 8 * Grid}, {Grid, 2 * Grid, 32 << 20}} {
		if p.Valid() == nil {
			t.Errorf("%+v passes", p)
		}
	}
}

func TestParseID(t *testing.T) {
	id := BLAKE3.Sum([]byte("x"))
	if got, err := ParseID(id.String()); err != nil || got != id {
		t.Errorf("got %v, %v", got, err)
	}
	for _, s := range []string{"", "ab", id.String() + "0", id.String()[:63] + "g", string(bytes.ToUpper([]byte(id.String())))} {
		if _, err := ParseID(s); err == nil {
			t.Errorf("%q passes as an ID", s)
		}
	}
}

// The hash functions by number are part of the format.
func TestHashes(t *testing.T) {
	for hash, want := range map[Hash]string{
		1: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // FIPS 180-4, "abc"
		2: "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85", // BLAKE3 of "abc"
	} {
		if got := hash.Sum([]byte("abc")).String(); got != want {
			t.Errorf("%v: got %s", hash, got)
		}
	}
}
