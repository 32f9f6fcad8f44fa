package gpt

import (
	"fmt"
	"hash/crc32"

	"github.com/ingot-imaging/ingot/internal/part"
)

// Encode returns the writes that put t on a disk of diskSize bytes with t's
// sector size. The order is safety: the backup is whole before the primary is
// touched, and LBA 0, by which firmware finds the table, comes last.
//
// Entries are encoded from t.Partitions, everything else from t.Sectors; a
// partition that is in the table as read but not in t.Partitions loses its
// entry. It fails with a *part.TooSmallError, with a *part.DamageError when
// partitions overlap, and when a field cannot be expressed.
func Encode(t part.Table, diskSize int64) ([]part.Write, error) {
	if need := t.MinDiskSize(); need > diskSize {
		return nil, &part.TooSmallError{Need: need, Have: diskSize}
	}
	if err := t.Validate(diskSize); err != nil {
		return nil, err
	}
	e, err := newEncoder(t, diskSize)
	if err != nil {
		return nil, err
	}
	if err := e.encodeEntries(t); err != nil {
		return nil, err
	}
	return e.writes(), nil
}

// encoder holds the table as it was on the source beside the one that is wanted.
type encoder struct {
	sectorSize int64
	first      []byte    // LBA 0
	src        tableCopy // primary, as in Sectors
	backup     []byte    // sector of the backup header, as in Sectors or like the primary's

	sourceLast, last      int64 // last LBA of the source and of the target
	lastUsable, backupLBA int64 // of the target
	backupArray           int64
	old, want             map[int]part.Partition // by number
}

func newEncoder(t part.Table, diskSize int64) (*encoder, error) {
	e := &encoder{
		sectorSize: int64(t.SectorSize),
		first:      t.Raw(0, t.SectorSize),
		sourceLast: t.DiskSize/int64(t.SectorSize) - 1,
		last:       diskSize/int64(t.SectorSize) - 1,
		old:        map[int]part.Partition{},
		want:       map[int]part.Partition{},
	}
	if err := e.loadSource(t); err != nil {
		return nil, err
	}
	for _, p := range e.src.partitions(e.sectorSize) {
		e.old[p.Number] = p
	}
	for _, p := range t.Partitions {
		if p.Number < 1 || p.Number > int(e.src.count) {
			return nil, fmt.Errorf("write GPT: partition %d: the table has room for numbers 1 to %d", p.Number, e.src.count)
		}
		e.want[p.Number] = p
	}
	e.place(t, diskSize)
	return e, e.checkRoom(t)
}

// loadSource decodes the primary copy in Sectors. A table that was made without
// a source disk gets the usual header.
func (e *encoder) loadSource(t part.Table) error {
	e.src.sector = t.Raw(e.sectorSize, t.SectorSize)
	h, err := decodeHeader(e.src.sector, 1, e.sourceLast+1)
	switch {
	case err == errNoMagic:
		h = usualHeader(e.sectorSize)
		protect(e.first, e.last+1)
	case err != nil:
		return &part.DamageError{Kind: part.GPT, What: "stored primary header", Offset: e.sectorSize, Why: err.Error()}
	}
	e.src.header = h
	e.src.array = t.Raw(h.arrayLBA*e.sectorSize, int(h.arraySectors(e.sectorSize)*e.sectorSize))
	return nil
}

func usualHeader(sectorSize int64) header {
	h := header{revision: 0x00010000, size: headerSize, arrayLBA: usualArrayLBA, count: usualEntries, entrySize: minEntrySize}
	h.firstUsable = usualArrayLBA + h.arraySectors(sectorSize)
	return h
}

// place computes what depends on the size of the disk. On a disk of the source's
// size whose backup is in its place, everything stays where it is.
func (e *encoder) place(t part.Table, diskSize int64) {
	e.backupLBA = e.last
	e.backupArray = e.last - e.src.arraySectors(e.sectorSize)
	e.lastUsable = e.backupArray - 1
	e.backup = e.src.sector
	if e.src.alternate < 2 || e.src.alternate > e.sourceLast {
		return
	}
	sector := t.Raw(e.src.alternate*e.sectorSize, t.SectorSize)
	backup, err := decodeHeader(sector, e.src.alternate, e.sourceLast+1)
	if err != nil {
		return
	}
	e.backup = sector
	if diskSize == t.DiskSize && e.src.alternate == e.last {
		e.backupArray, e.lastUsable = backup.arrayLBA, e.src.lastUsable
	}
}

// checkRoom fails when a partition lies where the table goes.
func (e *encoder) checkRoom(t part.Table) error {
	for _, p := range t.Partitions {
		first, end := p.Start/e.sectorSize, (p.Start+p.Length)/e.sectorSize
		changed := p != e.old[p.Number]
		if changed && first < e.src.firstUsable {
			return fmt.Errorf("write GPT: partition %d at sector %d lies before the first usable sector %d", p.Number, first, e.src.firstUsable)
		}
		if end > e.last || end > e.backupArray && first < e.backupArray+e.src.arraySectors(e.sectorSize) {
			return &part.TooSmallError{Need: t.MinDiskSize(), Have: (e.last + 1) * e.sectorSize}
		}
		if changed && end > e.lastUsable+1 {
			e.lastUsable = e.backupArray - 1
		}
	}
	return nil
}

// encodeEntries brings the array up to date.
func (e *encoder) encodeEntries(t part.Table) error {
	for number := range e.old {
		if _, ok := e.want[number]; !ok {
			clear(e.src.entry(number - 1))
		}
	}
	for number, p := range e.want {
		if err := encodeEntry(e.src.entry(number-1), p, e.sectorSize); err != nil {
			return err
		}
	}
	disk, err := parseGUID(t.ID)
	if err != nil {
		return fmt.Errorf("write GPT: disk ID: %w", err)
	}
	e.src.disk = disk
	e.src.arrayCRC = crc32.ChecksumIEEE(e.src.array[:e.src.arrayBytes()])
	return nil
}

func (e *encoder) writes() []part.Write {
	e.fitFirst(e.first)
	primary, backup := e.src.header, e.src.header
	primary.my, primary.alternate, primary.lastUsable = 1, e.backupLBA, e.lastUsable
	backup.my, backup.alternate, backup.lastUsable = e.backupLBA, 1, e.lastUsable
	backup.arrayLBA = e.backupArray
	primarySector := append([]byte(nil), e.src.sector...)
	backupSector := append([]byte(nil), e.backup...)
	primary.put(primarySector)
	backup.put(backupSector)
	return []part.Write{
		{Offset: e.backupArray * e.sectorSize, Data: e.src.array, What: "GPT backup entries"},
		{Offset: e.backupLBA * e.sectorSize, Data: backupSector, Sync: true, What: "GPT backup header"},
		{Offset: e.src.arrayLBA * e.sectorSize, Data: e.src.array, What: "GPT primary entries"},
		{Offset: e.sectorSize, Data: primarySector, Sync: true, What: "GPT primary header"},
		{Offset: 0, Data: e.first, Sync: true, What: "protective MBR"},
	}
}
