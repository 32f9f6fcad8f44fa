package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// An index object is a sorted table from chunk to place, so that a writer finds
// what the store holds already. It can be rebuilt from packs at any time.
//
//	header   magic, u32 level, u32 pages, u64 records, u64 run, u64 first 8 bytes of the last chunk ID,
//	         u32 CRC-32C of the fences, u32 CRC-32C of the 44 bytes before
//	fences   for each page, the first 8 bytes (big-endian) of its first chunk ID
//	pages    4096 bytes each: u32 CRC-32C of the rest, u16 records, u16 zero, records
//
// Pages are checked one by one, so that a lookup in a store of many terabytes
// reads 4 KiB and holds nothing but the fences in memory.
const (
	indexMagic      = "ingotix1"
	indexHeaderSize = 48
	indexPage       = 4096
	indexPageHeader = 8
	indexRecord     = 60 // ID, u64 pack prefix, u32 offset, stored, codec<<28|plain, inside, length
	recordsPerPage  = (indexPage - indexPageHeader) / indexRecord

	// maxIndexRecords bounds one index object to about 16 MiB; a larger table is a
	// run of several objects over disjoint ranges of IDs.
	maxIndexRecords = 256 << 10
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// packPrefix is how an index names a pack: by the first 8 bytes of its ID. The
// list of packs in the store decides which pack that is, and whether it exists.
type packPrefix uint64

func prefixOf(id chunk.ID) packPrefix { return packPrefix(binary.BigEndian.Uint64(id[:8])) }

// indexEntry is one record of an index.
type indexEntry struct {
	id   chunk.ID
	pack packPrefix
	loc  pack.Location // Pack is not set
}

func compareEntries(a, b indexEntry) int {
	if c := bytes.Compare(a.id[:], b.id[:]); c != 0 {
		return c
	}
	return cmp.Or(cmp.Compare(a.pack, b.pack), cmp.Compare(a.loc.Offset, b.loc.Offset))
}

// entriesOf lists what a pack's table of contents says, for an index.
func entriesOf(id chunk.ID, frames []pack.Frame) []indexEntry {
	var out []indexEntry
	for _, f := range frames {
		for _, c := range f.Chunks {
			loc := pack.Location{Offset: f.Offset, Stored: f.Stored, Plain: f.Plain, Codec: f.Codec, Inside: c.Offset, Length: c.Length}
			out = append(out, indexEntry{c.ID, prefixOf(id), loc})
		}
	}
	return out
}

// encodeIndex returns the index object of sorted entries, at least one and at
// most maxIndexRecords.
func encodeIndex(level uint32, run uint64, entries []indexEntry) []byte {
	le := binary.LittleEndian
	var fences, pages []byte
	n := 0
	for group := range slices.Chunk(entries, recordsPerPage) {
		fences = binary.BigEndian.AppendUint64(fences, uint64(prefixOf(group[0].id)))
		page := make([]byte, indexPageHeader, indexPage)
		le.PutUint16(page[4:], uint16(len(group)))
		for _, e := range group {
			page = appendRecord(page, e)
		}
		page = page[:indexPage]
		le.PutUint32(page, crc32.Checksum(page[4:], castagnoli))
		pages = append(pages, page...)
		n++
	}
	b := append(make([]byte, 0, indexHeaderSize+len(fences)+len(pages)), indexMagic...)
	b = le.AppendUint32(b, level)
	b = le.AppendUint32(b, uint32(n))
	b = le.AppendUint64(b, uint64(len(entries)))
	b = le.AppendUint64(b, run)
	b = le.AppendUint64(b, uint64(prefixOf(entries[len(entries)-1].id)))
	b = le.AppendUint32(b, crc32.Checksum(fences, castagnoli))
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(append(b, fences...), pages...)
}

func appendRecord(b []byte, e indexEntry) []byte {
	le := binary.LittleEndian
	b = append(b, e.id[:]...)
	b = le.AppendUint64(b, uint64(e.pack))
	b = le.AppendUint32(b, e.loc.Offset)
	b = le.AppendUint32(b, e.loc.Stored)
	b = le.AppendUint32(b, uint32(e.loc.Codec)<<28|e.loc.Plain)
	b = le.AppendUint32(b, e.loc.Inside)
	return le.AppendUint32(b, e.loc.Length)
}

func parseRecord(b []byte) indexEntry {
	le := binary.LittleEndian
	plain := le.Uint32(b[48:])
	return indexEntry{chunk.ID(b[:32]), packPrefix(le.Uint64(b[32:])), pack.Location{
		Offset: le.Uint32(b[40:]), Stored: le.Uint32(b[44:]), Plain: plain & (1<<28 - 1), Codec: pack.Codec(plain >> 28),
		Inside: le.Uint32(b[52:]), Length: le.Uint32(b[56:]),
	}}
}

// readAt fills p from an offset of an index object.
type readAt func(p []byte, off int64) error

// indexFile is an open index object.
type indexFile struct {
	name    string
	level   uint32
	run     uint64
	records uint64
	last    uint64 // first 8 bytes of the last chunk ID
	fences  []uint64
	read    readAt
}

// openIndex reads header and fences of an index object of the given size.
func openIndex(name string, size int64, read readAt) (*indexFile, error) {
	damaged := func(off int64, why string) error { return &IntegrityError{prefixIndexes + name, off, why} }
	head := make([]byte, indexHeaderSize)
	if err := read(head, 0); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	if string(head[:8]) != indexMagic || crc32.Checksum(head[:44], castagnoli) != le.Uint32(head[44:]) {
		return nil, damaged(0, "header fails its checksum")
	}
	pages := int64(le.Uint32(head[12:]))
	if size != indexHeaderSize+pages*(8+indexPage) || pages > maxIndexRecords {
		return nil, damaged(0, fmt.Sprintf("header tells of %d pages in %d bytes", pages, size))
	}
	raw := make([]byte, pages*8)
	if err := read(raw, indexHeaderSize); err != nil {
		return nil, err
	}
	if crc32.Checksum(raw, castagnoli) != le.Uint32(head[40:]) {
		return nil, damaged(indexHeaderSize, "fences fail their checksum")
	}
	f := &indexFile{
		name: name, read: read,
		fences: make([]uint64, 0, pages), level: le.Uint32(head[8:]), records: le.Uint64(head[16:]), run: le.Uint64(head[24:]), last: le.Uint64(head[32:]),
	}
	for ; len(raw) > 0; raw = raw[8:] {
		f.fences = append(f.fences, binary.BigEndian.Uint64(raw))
	}
	return f, nil
}

// page reads and checks one page and returns its records' bytes.
func (f *indexFile) page(n int, buf []byte) ([]byte, error) {
	off := indexHeaderSize + int64(len(f.fences))*8 + int64(n)*indexPage
	buf = buf[:indexPage]
	if err := f.read(buf, off); err != nil {
		return nil, err
	}
	count := int(binary.LittleEndian.Uint16(buf[4:]))
	if crc32.Checksum(buf[4:], castagnoli) != binary.LittleEndian.Uint32(buf) || count > recordsPerPage {
		return nil, &IntegrityError{prefixIndexes + f.name, off, "page fails its checksum"}
	}
	return buf[indexPageHeader : indexPageHeader+count*indexRecord], nil
}

// lookup calls yield for each record of id until it returns false.
func (f *indexFile) lookup(id chunk.ID, buf []byte, yield func(indexEntry) bool) error {
	prefix := binary.BigEndian.Uint64(id[:8])
	n, _ := slices.BinarySearch(f.fences, prefix)
	for n = max(n-1, 0); n < len(f.fences) && f.fences[n] <= prefix; n++ {
		records, err := f.page(n, buf)
		if err != nil {
			return err
		}
		count := len(records) / indexRecord
		i := searchPage(records, count, id)
		for ; i < count && chunk.ID(records[i*indexRecord:][:32]) == id; i++ {
			if !yield(parseRecord(records[i*indexRecord:])) {
				return nil
			}
		}
		if i < count {
			return nil
		}
	}
	return nil
}

// searchPage returns the first of count records whose ID is not below id.
func searchPage(records []byte, count int, id chunk.ID) int {
	lo, hi := 0, count
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if bytes.Compare(records[mid*indexRecord:][:32], id[:]) < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// covers reports whether the range of IDs in f can hold id.
func (f *indexFile) covers(id chunk.ID) bool {
	prefix := binary.BigEndian.Uint64(id[:8])
	return len(f.fences) > 0 && f.fences[0] <= prefix && prefix <= f.last
}
