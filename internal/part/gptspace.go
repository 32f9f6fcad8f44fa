package part

import (
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Where a GPT header says how much room the table takes (UEFI specification
// 2.10, table 5-5); the codec is in part/gpt.
const (
	gptAlternateLBA = 32
	gptFirstUsable  = 40
	gptEntriesLBA   = 72
	gptEntryCount   = 80
	gptEntrySize    = 84
	gptHeaderEnd    = 92
)

// A GPT that was made without a source disk gets the usual array.
const (
	gptUsualEntriesLBA = 2
	gptUsualEntryBytes = 128 * 128
)

// gptMaxEntryBytes bounds what a stored header may claim; part/gpt reads none
// that claims more.
const gptMaxEntryBytes = 4 << 20

// gptEntryBytes is the size of one entry array in whole sectors, bytes, as the
// given header has it.
func (t Table) gptEntryBytes(header []byte) int64 {
	count, size := binary.LittleEndian.Uint32(header[gptEntryCount:]), binary.LittleEndian.Uint32(header[gptEntrySize:])
	n := uint64(count) * uint64(size)
	if n == 0 || n > gptMaxEntryBytes {
		n = gptUsualEntryBytes
	}
	sector := uint64(t.SectorSize)
	return int64((n + sector - 1) / sector * sector)
}

// gptHeader is the header that Sectors holds at byte off, zeros when there is none.
func (t Table) gptHeader(off int64) []byte { return t.Raw(off, gptHeaderEnd) }

func (t Table) gptReserved() extent.List {
	sector := int64(t.SectorSize)
	primary := t.gptHeader(sector)
	entries := t.gptEntryBytes(primary)
	end := t.DiskSize / sector * sector
	own := []extent.Extent{
		{Start: 0, Length: 2 * sector},
		{Start: t.gptOffset(primary, gptEntriesLBA, gptUsualEntriesLBA), Length: entries},
		{Start: end - sector - entries, Length: sector + entries},
	}
	if at := t.gptOffset(primary, gptAlternateLBA, 0); at > 0 {
		if backup := t.gptHeader(at); backup[0] != 0 {
			own = append(own, extent.Extent{Start: at, Length: sector},
				extent.Extent{Start: t.gptOffset(backup, gptEntriesLBA, 0), Length: t.gptEntryBytes(backup)})
		}
	}
	all := extent.Of(own...)
	// On a disk that was cut off, a partition may lie where the backup belongs.
	return all.Clip(extent.Extent{Length: t.DiskSize}).Subtract(t.occupied())
}

// gptOffset is the byte offset of an LBA field, of the LBA usual where the
// field is zero or outside the disk.
func (t Table) gptOffset(header []byte, field int, usual int64) int64 {
	lba := binary.LittleEndian.Uint64(header[field:])
	if lba == 0 || lba >= uint64(t.DiskSize/int64(t.SectorSize)) {
		lba = uint64(usual)
	}
	return int64(lba) * int64(t.SectorSize)
}

// gptFirstUsable is the byte offset of the first sector that a partition may
// take; entries is the size of the entry array, bytes.
func (t Table) gptFirstUsable(primary []byte, entries int64) int64 {
	return t.gptOffset(primary, gptFirstUsable, gptUsualEntriesLBA+entries/int64(t.SectorSize))
}

// gptMinDiskSize adds the backup copy to partitions that end at byte end. Tools
// refuse a table without a single usable sector.
func (t Table) gptMinDiskSize(end int64) int64 {
	sector := int64(t.SectorSize)
	primary := t.gptHeader(sector)
	entries := t.gptEntryBytes(primary)
	usable := t.gptFirstUsable(primary, entries)
	end = (max(end, usable+sector) + sector - 1) / sector * sector
	return end + entries + sector
}
