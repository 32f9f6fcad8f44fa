package gpt

import (
	"math"

	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// protect replaces the entries of LBA 0 by the one that covers a disk of the
// given number of sectors (UEFI table 5-4). Boot code stays.
func protect(first []byte, sectors int64) {
	for slot := range mbr.Slots {
		mbr.Entry{}.Put(first, slot)
	}
	protectiveEntry(sectors).Put(first, 0)
	mbr.Sign(first)
}

func protectiveEntry(sectors int64) mbr.Entry {
	return mbr.Entry{Type: mbr.TypeProtective, Start: 1, Size: uint32(min(sectors-1, math.MaxUint32))}
}

// fitFirst adapts LBA 0 of the source to the target: a protective entry that
// reached the end of the source, or of the disk the table was made for, reaches
// the end of the target; entries of a hybrid MBR follow the partitions they mirror.
func (e *encoder) fitFirst(first []byte) {
	resized := e.last != e.sourceLast || e.last != e.src.alternate
	for slot := range mbr.Slots {
		entry := mbr.EntryAt(first, slot)
		switch {
		case !entry.Used():
		case entry.Type == mbr.TypeProtective:
			if resized && entry.Size != math.MaxUint32 && entry.End() > min(e.sourceLast, e.src.alternate) {
				entry.Size = uint32(min(e.last+1-int64(entry.Start), math.MaxUint32))
				entry.Put(first, slot)
			}
		default:
			e.follow(entry).Put(first, slot)
		}
	}
}

// follow returns a hybrid MBR's entry with the place that its partition has now,
// the empty entry when that partition is gone or out of an MBR's reach.
func (e *encoder) follow(entry mbr.Entry) mbr.Entry {
	for number, was := range e.old {
		if was.Start != int64(entry.Start)*e.sectorSize || was.Length != int64(entry.Size)*e.sectorSize {
			continue
		}
		now, ok := e.want[number]
		if !ok || (now.Start+now.Length)/e.sectorSize > math.MaxUint32 {
			return mbr.Entry{}
		}
		entry.Start, entry.Size = uint32(now.Start/e.sectorSize), uint32(now.Length/e.sectorSize)
	}
	return entry
}
