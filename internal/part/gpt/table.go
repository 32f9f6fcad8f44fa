package gpt

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// Table judges what was found. The primary copy wins where both are valid; a
// broken one is rebuilt from the other, which Findings tells. It fails with a
// *part.DamageError when neither copy is valid or the partitions contradict each
// other, and with the error of reading LBA 0.
//
// Sectors of the result hold LBA 0, the primary header and entries after repair,
// and the backup header if there was one. The backup entries equal the primary ones.
func (f *Found) Table() (part.Table, error) {
	if f.primary == nil && f.backup == nil {
		return part.Table{}, &part.DamageError{
			Kind: part.GPT, What: "primary and backup", Offset: f.sectorSize,
			Why: fmt.Sprintf("primary: %v; backup: %v", f.primaryFault, f.backupFault),
		}
	}
	first := make([]byte, f.sectorSize)
	if err := block.ReadFull(f.r, first, 0); err != nil {
		return part.Table{}, fmt.Errorf("read protective MBR: %w", err)
	}
	primary := f.primary
	if primary == nil {
		primary = f.repairedPrimary()
	}
	t := part.Table{
		Kind:       part.GPT,
		SectorSize: int(f.sectorSize),
		DiskSize:   f.r.Size(),
		ID:         primary.disk.String(),
		Partitions: primary.partitions(f.sectorSize),
		Findings:   f.findings(first),
	}
	if !mbr.Protective(first) {
		protect(first, f.sectors)
	}
	t.Sectors = f.keep(first, primary)
	if err := f.check(t, primary); err != nil {
		return part.Table{}, err
	}
	return t, nil
}

// repairedPrimary makes a primary copy of the backup.
func (f *Found) repairedPrimary() *tableCopy {
	c := *f.backup
	c.sector = slices.Clone(c.sector)
	c.my, c.alternate, c.arrayLBA = 1, f.backup.my, f.primaryArrayLBA()
	c.put(c.sector)
	return &c
}

// primaryArrayLBA is where the entries of a damaged primary copy lie. Boards
// that boot from sector 2 have them elsewhere, so a damaged header is believed
// when it leads to the very bytes that the backup has.
func (f *Found) primaryArrayLBA() int64 {
	sector, err := f.sector(1)
	if err != nil || string(sector[:8]) != magic {
		return usualArrayLBA
	}
	hint := f.backup.header
	hint.arrayLBA = int64(binary.LittleEndian.Uint64(sector[72:]))
	if hint.arrayLBA < usualArrayLBA || hint.arrayLBA > f.sectors-hint.arraySectors(f.sectorSize) {
		return usualArrayLBA
	}
	array, err := f.array(hint)
	if err != nil || crc32.ChecksumIEEE(array[:hint.arrayBytes()]) != hint.arrayCRC {
		return usualArrayLBA
	}
	return hint.arrayLBA
}

// keep collects Table.Sectors.
func (f *Found) keep(first []byte, primary *tableCopy) []part.Sectors {
	out := part.NonZero(0, first)
	out = append(out, part.NonZero(f.sectorSize, primary.sector)...)
	out = append(out, part.NonZero(primary.arrayLBA*f.sectorSize, primary.array)...)
	if f.backup != nil {
		out = append(out, part.NonZero(f.backup.my*f.sectorSize, f.backup.sector)...)
	}
	slices.SortFunc(out, func(a, b part.Sectors) int { return cmp.Compare(a.Offset, b.Offset) })
	return out
}

// findings are the sentences for the user.
func (f *Found) findings(first []byte) (out []string) {
	if !mbr.Protective(first) {
		out = append(out, "Sector 0 holds no protective MBR; one is added.")
	}
	switch {
	case f.primary == nil:
		out = append(out, fmt.Sprintf("The primary GPT is damaged (%v); it is rebuilt from the backup.", f.primaryFault))
	case f.backup == nil:
		out = append(out, fmt.Sprintf("The backup GPT is damaged (%v); it is rebuilt from the primary.", f.backupFault))
	case !f.primary.sameTable(f.backup.header):
		out = append(out, "The primary and the backup GPT disagree; the primary one is taken.")
	}
	if f.backup != nil && f.backup.my != f.sectors-1 {
		out = append(out, fmt.Sprintf("The backup GPT lies at sector %d, not in the last sector %d: the disk has grown since it was partitioned.", f.backup.my, f.sectors-1))
	}
	return out
}

// check refuses partitions that overlap each other or the table, or leave the disk.
func (f *Found) check(t part.Table, primary *tableCopy) error {
	if err := t.Validate(t.DiskSize); err != nil {
		return err
	}
	arrayStart := primary.arrayLBA * f.sectorSize
	arrayEnd := arrayStart + int64(len(primary.array))
	for _, p := range t.Partitions {
		if p.Start < 2*f.sectorSize || p.Start < arrayEnd && p.Start+p.Length > arrayStart {
			return &part.DamageError{
				Kind: part.GPT, What: fmt.Sprintf("partition %d", p.Number), Offset: p.Start, Why: "it overlaps the table itself",
			}
		}
	}
	return nil
}

// partitions decodes the used entries, ascending by start.
func (c *tableCopy) partitions(sectorSize int64) []part.Partition {
	out := []part.Partition{}
	for i := range int(c.count) {
		if p, ok := decodeEntry(c.entry(i), i+1, sectorSize); ok {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b part.Partition) int { return cmp.Compare(a.Start, b.Start) })
	return out
}
