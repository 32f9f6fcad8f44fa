// Package gpt reads, repairs and writes the GUID partition table.
//
// It owns the choice between the primary and the backup copy, and the order in
// which both are written. It trusts no copy whose checksums do not hold, and
// refuses tables whose partitions overlap or leave the disk. Numbers count from
// 1 by place in the entry array, as the kernel's do. Callers start with Find;
// disks are written with Encode. Source: UEFI specification 2.10, chapter 5.
package gpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Limits on what a header may claim.
const (
	headerSize    = 92      // smallest header; a bigger one carries bytes we keep as they are
	minEntrySize  = 128     // and any power of two above
	maxEntryBytes = 4 << 20 // of one array; the usual is 16 KiB
	usualEntries  = 128     // in a table that we make ourselves
	usualArrayLBA = 2
)

const magic = "EFI PART"

// header is the part of a GPT header (UEFI table 5-5) that we interpret. LBAs
// count sectors.
type header struct {
	revision                uint32
	size                    uint32
	my, alternate           int64
	firstUsable, lastUsable int64
	disk                    guid
	arrayLBA                int64 // of the entry array
	count, entrySize        uint32
	arrayCRC                uint32
}

var errNoMagic = errors.New("there is no header")

// decodeHeader checks everything about a header that can be checked without
// reading more: magic, sizes, checksum, that it lies at lba, and that its
// array lies inside a disk of the given number of sectors.
func decodeHeader(sector []byte, lba, sectors int64) (header, error) {
	le := binary.LittleEndian
	if string(sector[:8]) != magic {
		return header{}, errNoMagic
	}
	h := header{revision: le.Uint32(sector[8:]), size: le.Uint32(sector[12:])}
	if h.size < headerSize || int64(h.size) > int64(len(sector)) {
		return h, fmt.Errorf("the header claims %d bytes", h.size)
	}
	if headerCRC(sector, h.size) != le.Uint32(sector[16:]) {
		return h, errors.New("the header's checksum is wrong")
	}
	for _, f := range []struct {
		to *int64
		at int
	}{{&h.my, 24}, {&h.alternate, 32}, {&h.firstUsable, 40}, {&h.lastUsable, 48}, {&h.arrayLBA, 72}} {
		v := le.Uint64(sector[f.at:])
		if v > 1<<62 {
			return h, fmt.Errorf("the header points to sector %d", v)
		}
		*f.to = int64(v)
	}
	h.disk = guid(sector[56:72])
	h.count, h.entrySize, h.arrayCRC = le.Uint32(sector[80:]), le.Uint32(sector[84:]), le.Uint32(sector[88:])
	return h, h.check(lba, sectors, int64(len(sector)))
}

func (h header) check(lba, sectors, sectorSize int64) error {
	switch n := uint64(h.count) * uint64(h.entrySize); {
	case h.my != lba:
		return fmt.Errorf("the header says it belongs to sector %d", h.my)
	case h.entrySize < minEntrySize || h.entrySize&(h.entrySize-1) != 0:
		return fmt.Errorf("the header claims partition entries of %d bytes", h.entrySize)
	case h.count == 0 || n > maxEntryBytes:
		return fmt.Errorf("the header claims %d partition entries of %d bytes", h.count, h.entrySize)
	case h.arrayLBA < 1 || h.arrayLBA > sectors-h.arraySectors(sectorSize):
		return fmt.Errorf("the header's partition entries at sector %d lie outside the disk", h.arrayLBA)
	case h.arrayLBA <= lba && lba < h.arrayLBA+h.arraySectors(sectorSize):
		return errors.New("the header lies inside its own partition entries")
	}
	return nil
}

// arrayBytes is the size of the entry array as its checksum covers it.
func (h header) arrayBytes() int { return int(h.count) * int(h.entrySize) }

// arraySectors is the size of the entry array in whole sectors.
func (h header) arraySectors(sectorSize int64) int64 {
	return (int64(h.arrayBytes()) + sectorSize - 1) / sectorSize
}

// put writes h into a sector, checksum included; bytes of the sector that are
// no field of h stay.
func (h header) put(sector []byte) {
	le := binary.LittleEndian
	copy(sector, magic)
	le.PutUint32(sector[8:], h.revision)
	le.PutUint32(sector[12:], h.size)
	le.PutUint64(sector[24:], uint64(h.my))
	le.PutUint64(sector[32:], uint64(h.alternate))
	le.PutUint64(sector[40:], uint64(h.firstUsable))
	le.PutUint64(sector[48:], uint64(h.lastUsable))
	copy(sector[56:], h.disk[:])
	le.PutUint64(sector[72:], uint64(h.arrayLBA))
	le.PutUint32(sector[80:], h.count)
	le.PutUint32(sector[84:], h.entrySize)
	le.PutUint32(sector[88:], h.arrayCRC)
	le.PutUint32(sector[16:], headerCRC(sector, h.size))
}

// headerCRC is the checksum over a header with its own field as zero.
func headerCRC(sector []byte, size uint32) uint32 {
	crc := crc32.ChecksumIEEE(sector[:16])
	crc = crc32.Update(crc, crc32.IEEETable, make([]byte, 4))
	return crc32.Update(crc, crc32.IEEETable, sector[20:size])
}

// sameTable reports whether two copies describe the same partitions.
func (h header) sameTable(o header) bool {
	return h.disk == o.disk && h.firstUsable == o.firstUsable && h.lastUsable == o.lastUsable &&
		h.count == o.count && h.entrySize == o.entrySize && h.arrayCRC == o.arrayCRC
}
