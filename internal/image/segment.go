package image

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// SegmentSpan is how many bytes of a region one segment of its map covers. A
// segment in which nothing changed has the same bytes, so the same name, in the
// map of the next version, and is stored once.
const SegmentSpan = 128 << 20

// PieceSpan is a border that no chunk crosses: every multiple of it, counted from
// the start of the region, so that stretches can be worked on by themselves.
const PieceSpan = 16 << 20

// A segment is
//
//	magic "ingotmp1", u32 nonce (means nothing), u32 packs, u32 entries, u64 start
//	packs × ID
//	entries, each: uvarint gap from the end of the one before, uvarint length<<1 | zero,
//	               and unless zero: ID, then either u8 0, when the chunk follows the one
//	               before in the same frame, or u8 1, uvarint pack, offset, stored, plain, codec, inside
const (
	segmentMagic  = "ingotmp1"
	segmentHeader = 28
	minEntry      = 2 // bytes of the shortest entry

	maxSegmentPacks = 1 << 16
	// maxSegmentEntries is one entry for each sector of a segment, 28 MiB in
	// memory; chunks on their grid are at most an eighth of that.
	maxSegmentEntries = SegmentSpan / 512
)

// Segment is the map of one stretch of a region.
type Segment struct {
	Start   int64 // relative to the region
	Entries []Entry
}

// Entry is one chunk, or one run of zeros, at its place on the disk.
type Entry struct {
	Offset int64 // relative to the region
	Length int64
	Zero   bool          // all zeros; ID and At mean nothing
	ID     chunk.ID      // of the plain bytes
	At     pack.Location // where it lay when the map was written
}

// Encode returns the segment's bytes.
func (s *Segment) Encode(nonce uint32) []byte {
	numbers := map[chunk.ID]uint64{}
	var packs []chunk.ID
	for _, e := range s.Entries {
		if _, ok := numbers[e.At.Pack]; !ok && !e.Zero {
			numbers[e.At.Pack] = uint64(len(packs))
			packs = append(packs, e.At.Pack)
		}
	}
	le := binary.LittleEndian
	b := append([]byte{}, segmentMagic...)
	b = le.AppendUint32(b, nonce)
	b = le.AppendUint32(b, uint32(len(packs)))
	b = le.AppendUint32(b, uint32(len(s.Entries)))
	b = le.AppendUint64(b, uint64(s.Start))
	for _, id := range packs {
		b = append(b, id[:]...)
	}
	end, before := s.Start, pack.Location{}
	for _, e := range s.Entries {
		b = binary.AppendUvarint(b, uint64(e.Offset-end))
		end = e.Offset + e.Length
		if e.Zero {
			b = binary.AppendUvarint(b, uint64(e.Length)<<1|1)
			continue
		}
		b = binary.AppendUvarint(b, uint64(e.Length)<<1)
		b = append(b, e.ID[:]...)
		b = appendLocation(b, e.At, before, numbers)
		before = e.At
	}
	return b
}

func follows(at, before pack.Location) bool {
	return before.Length > 0 && at.SameFrame(before) && at.Inside == before.Inside+before.Length
}

func appendLocation(b []byte, at, before pack.Location, numbers map[chunk.ID]uint64) []byte {
	if follows(at, before) {
		return append(b, 0)
	}
	b = append(b, 1)
	for _, v := range []uint64{numbers[at.Pack], uint64(at.Offset), uint64(at.Stored), uint64(at.Plain), uint64(at.Codec), uint64(at.Inside)} {
		b = binary.AppendUvarint(b, v)
	}
	return b
}

// ParseSegment reads the segment that begins at start of a region of size bytes.
func ParseSegment(data []byte, start, size int64) (*Segment, error) {
	if len(data) < segmentHeader || string(data[:8]) != segmentMagic {
		return nil, errors.New("parse map: no header")
	}
	le := binary.LittleEndian
	packs, entries := le.Uint32(data[12:]), le.Uint32(data[16:])
	if got := le.Uint64(data[20:]); got != uint64(start) {
		return nil, fmt.Errorf("parse map: it is that of %#x, not of %#x", got, start)
	}
	rest := data[segmentHeader:]
	if packs > maxSegmentPacks || entries > maxSegmentEntries || int64(packs)*32 > int64(len(rest)) || int64(entries)*minEntry > int64(len(rest)) {
		return nil, fmt.Errorf("parse map: %d packs and %d entries do not fit %d bytes", packs, entries, len(data))
	}
	d := decoder{data: rest[packs*32:], packs: rest[:packs*32], at: start, end: min(start+SegmentSpan, size)}
	s := &Segment{Start: start, Entries: make([]Entry, entries)}
	for i := range s.Entries {
		d.entry(&s.Entries[i])
		if d.bad != nil {
			return nil, fmt.Errorf("parse map: entry %d: %w", i, d.bad)
		}
	}
	if len(d.data) > 0 {
		return nil, errors.New("parse map: bytes behind its end")
	}
	return s, nil
}

// decoder reads entries; after the first error it reads nothing more.
type decoder struct {
	data    []byte
	packs   []byte
	at, end int64 // where the entry may begin, and what it must not pass
	before  pack.Location
	bad     error
}

func (d *decoder) uvarint(most int64) int64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 || most < 0 || v > uint64(most) {
		if d.bad == nil {
			d.bad = errors.New("a number is too large or cut off")
		}
		d.data = nil
		return 0
	}
	d.data = d.data[n:]
	return int64(v)
}

func (d *decoder) take(n int) []byte {
	if len(d.data) < n {
		if d.bad == nil {
			d.bad = errors.New("cut off")
		}
		d.data = nil
		return make([]byte, n)
	}
	b := d.data[:n]
	d.data = d.data[n:]
	return b
}

func (d *decoder) entry(e *Entry) {
	e.Offset = d.at + d.uvarint(d.end-d.at)
	length := d.uvarint(2*(d.end-e.Offset) + 1)
	e.Length, e.Zero = length>>1, length&1 == 1
	if e.Length == 0 && d.bad == nil {
		d.bad = errors.New("it is empty")
	}
	d.at = e.Offset + e.Length
	if e.Zero || d.bad != nil {
		return
	}
	if e.Offset/PieceSpan != (d.at-1)/PieceSpan {
		d.bad = errors.New("a chunk crosses a piece's border")
		return
	}
	e.ID = chunk.ID(d.take(32))
	e.At = d.location(e.Length)
	if d.bad == nil && !e.At.Possible() {
		d.bad = fmt.Errorf("its place is not possible: %+v", e.At)
	}
	d.before = e.At
}

func (d *decoder) location(length int64) pack.Location {
	if length > pack.MaxPlain {
		d.bad = fmt.Errorf("a chunk of %d bytes", length)
		return pack.Location{}
	}
	if d.take(1)[0] == 0 {
		at := d.before
		at.Inside, at.Length = at.Inside+at.Length, uint32(length)
		return at
	}
	number := d.uvarint(int64(len(d.packs)/32) - 1)
	at := pack.Location{
		Offset: uint32(d.uvarint(pack.MaxSize)), Stored: uint32(d.uvarint(pack.MaxSize)), Plain: uint32(d.uvarint(pack.MaxPlain)),
		Codec: pack.Codec(d.uvarint(255)), Inside: uint32(d.uvarint(pack.MaxPlain)), Length: uint32(length),
	}
	if d.bad == nil {
		at.Pack = chunk.ID(d.packs[number*32:][:32])
	}
	return at
}
