package image

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// randomSegment returns a segment as a capture makes them: chunks that follow
// each other in frames, some that lie elsewhere, runs of zeros and gaps.
func randomSegment(r *rand.Rand, start, size int64) *Segment {
	s := &Segment{Start: start}
	packs := []chunk.ID{chunk.BLAKE3.Sum([]byte("a")), chunk.BLAKE3.Sum([]byte("b")), chunk.BLAKE3.Sum([]byte("c"))}
	at, end := start, min(start+SegmentSpan, size)
	frame := pack.Location{Pack: packs[0], Offset: pack.HeaderSize, Stored: 100, Plain: pack.FramePlain, Codec: pack.Zstd}
	for len(s.Entries) < 200 {
		at += r.Int64N(3) * r.Int64N(1<<20)
		length := 1 + r.Int64N(256<<10)
		zero := r.IntN(5) == 0
		if !zero {
			length = min(length, PieceSpan-at%PieceSpan)
		}
		if length > end-at {
			break
		}
		e := Entry{Offset: at, Length: length, Zero: zero}
		if !zero {
			binary.LittleEndian.PutUint64(e.ID[:], r.Uint64())
			if int64(frame.Inside)+int64(frame.Length)+length > int64(frame.Plain) || r.IntN(10) == 0 {
				frame = pack.Location{Pack: packs[r.IntN(3)], Offset: pack.HeaderSize + r.Uint32N(1<<24), Stored: r.Uint32N(1 << 20), Plain: pack.FramePlain, Codec: pack.Codec(r.IntN(2))}
			} else {
				frame.Inside += frame.Length
			}
			frame.Length = uint32(length)
			e.At = frame
		}
		s.Entries = append(s.Entries, e)
		at += length
	}
	return s
}

func TestSegmentRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 300 {
		size := SegmentSpan + r.Int64N(2*SegmentSpan)
		s := randomSegment(r, SegmentSpan*r.Int64N(2), size)
		nonce := r.Uint32()
		data := s.Encode(nonce)
		got, err := ParseSegment(data, s.Start, size)
		if err != nil {
			t.Fatal(err)
		}
		if got.Start != s.Start || !slices.Equal(got.Entries, s.Entries) {
			t.Fatal("another segment came back")
		}
		if !slices.Equal(got.Encode(nonce), data) {
			t.Fatal("it is encoded in two ways")
		}
		if _, err := ParseSegment(data, s.Start+SegmentSpan, size+SegmentSpan); err == nil {
			t.Fatal("it passes as that of another place")
		}
		if last := s.Entries[len(s.Entries)-1]; last.Offset+last.Length > s.Start+1 {
			if _, err := ParseSegment(data, s.Start, last.Offset+last.Length-1); err == nil {
				t.Fatal("it passes in a region that is shorter")
			}
		}
		for range 20 {
			if n := r.IntN(len(data)); !refused(data[:n], s.Start, size) {
				t.Fatalf("cut to %d of %d bytes it passes", n, len(data))
			}
		}
		if !refused(append(data, 0), s.Start, size) {
			t.Fatal("it passes with a byte behind its end")
		}
	}
}

func refused(data []byte, start, size int64) bool {
	_, err := ParseSegment(data, start, size)
	return err != nil
}

// The nonce changes the name of a map and nothing in it.
func TestNonce(t *testing.T) {
	s := randomSegment(rand.New(rand.NewPCG(7, 8)), 0, SegmentSpan)
	a, b := s.Encode(0), s.Encode(1)
	got, err := ParseSegment(b, 0, SegmentSpan)
	if err != nil || slices.Equal(a, b) || !slices.Equal(got.Entries, s.Entries) {
		t.Errorf("equal bytes %v, error %v", slices.Equal(a, b), err)
	}
}

// A map of many tiny entries is refused before memory is taken for them.
func TestTooManyEntries(t *testing.T) {
	for n, ok := range map[int]bool{maxSegmentEntries: true, maxSegmentEntries + 1: false} {
		s := &Segment{Entries: make([]Entry, n)}
		for i := range s.Entries {
			s.Entries[i] = Entry{Offset: int64(i) * 256, Length: 256, Zero: true}
		}
		if refused(s.Encode(0), 0, SegmentSpan) == ok {
			t.Errorf("%d entries: refused %v", n, ok)
		}
	}
}

// TestFrozen holds the bytes of a map: version 1 for ever.
func TestFrozen(t *testing.T) {
	id := func(s string) chunk.ID { return chunk.SHA256.Sum([]byte(s)) }
	at := pack.Location{Pack: id("pack"), Offset: 16, Stored: 1000, Plain: 90000, Codec: pack.Zstd, Length: 65536}
	next := at
	next.Inside, next.Length = 65536, 8192
	other := pack.Location{Pack: id("other"), Offset: 300000, Stored: 4096, Plain: 4096, Length: 4096}
	s := Segment{Start: SegmentSpan, Entries: []Entry{
		{Offset: SegmentSpan, Length: 65536, ID: id("1"), At: at},
		{Offset: SegmentSpan + 65536, Length: 8192, ID: id("2"), At: next},
		{Offset: SegmentSpan + 1<<20, Length: 40 << 20, Zero: true},
		{Offset: SegmentSpan + 50<<20, Length: 4096, ID: id("3"), At: other},
	}}
	const want = "16b6d927a8e93fbeb2ee37ad43cc2dead0fa29856cd56151eba33f9257525807"
	if got := chunk.SHA256.Sum(s.Encode(0)).String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
