package image

import (
	"math/rand/v2"
	"testing"
)

// FuzzParseSegment changes maps: what is parsed lies inside its stretch, ascends,
// and names possible places only.
func FuzzParseSegment(f *testing.F) {
	const size = SegmentSpan + 40<<20
	for seed := range uint64(3) {
		s := randomSegment(rand.New(rand.NewPCG(seed, 0)), SegmentSpan, size)
		s.Entries = s.Entries[:min(len(s.Entries), 12)]
		f.Add(s.Encode(uint32(seed)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSegment(data, SegmentSpan, size)
		if err != nil {
			return
		}
		at := int64(SegmentSpan)
		for _, e := range s.Entries {
			if e.Offset < at || e.Length <= 0 || e.Length > size-e.Offset {
				t.Fatalf("entry %+v behind %#x", e, at)
			}
			at = e.Offset + e.Length
			if !e.Zero && (!e.At.Possible() || int64(e.At.Length) != e.Length || e.Offset/PieceSpan != (at-1)/PieceSpan) {
				t.Fatalf("entry %+v", e)
			}
		}
		again, err := ParseSegment(s.Encode(0), SegmentSpan, size)
		if err != nil || len(again.Entries) != len(s.Entries) {
			t.Fatalf("encoded again it gives %v", err)
		}
	})
}

// FuzzParse changes manifests: what is parsed can be encoded and used.
func FuzzParse(f *testing.F) {
	full, err := sample().Encode()
	if err != nil {
		f.Fatal(err)
	}
	small := sample()
	small.Table, small.Regions = nil, small.Regions[:1]
	bare, err := small.Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add(bare)
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		if _, err := m.Encode(); err != nil {
			t.Fatal(err)
		}
		if m.Data() < 0 || m.Data() > m.Disk.Size || m.Unreadable() > m.Disk.Size {
			t.Fatalf("data %d, unreadable %d of %d bytes", m.Data(), m.Unreadable(), m.Disk.Size)
		}
		for _, r := range m.Regions {
			r.Title()
		}
	})
}
