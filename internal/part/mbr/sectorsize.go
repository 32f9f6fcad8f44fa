package mbr

import "github.com/ingot-imaging/ingot/internal/part"

// WithSectorSize returns t for disks with sectors of size bytes, a power of two
// from 512. Boot code and disk signature are kept, every entry and boot record is
// made anew by Encode. Partitions keep their places in bytes, so the caller moves
// those that do not begin on a sector.
func WithSectorSize(t part.Table, size int) part.Table {
	first := t.Raw(0, Size)
	for slot := range Slots {
		Entry{}.Put(first, slot)
	}
	t.SectorSize, t.Sectors = size, part.NonZero(0, first)
	return t
}
