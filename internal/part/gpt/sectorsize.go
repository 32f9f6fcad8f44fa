package gpt

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// WithSectorSize returns t for disks with sectors of size bytes, a power of two
// from 512: the header points to where the entries lie there, and their number,
// names and spare bytes are kept. Partitions keep their places in bytes, so the
// caller moves those that do not begin on a sector. A hybrid MBR counts in old
// sectors and is dropped, which Findings tells.
//
// It fails with a *part.DamageError when the stored header cannot be trusted.
func WithSectorSize(t part.Table, size int) (part.Table, error) {
	e := encoder{sectorSize: int64(t.SectorSize), sourceLast: t.DiskSize/int64(t.SectorSize) - 1}
	e.first = t.Raw(0, mbr.Size)
	if err := e.loadSource(t); err != nil {
		return part.Table{}, err
	}
	array := e.src.array
	h, sector := e.src.header, make([]byte, size)
	copy(sector, e.src.sector)
	h.size = min(h.size, uint32(size))
	h.my, h.alternate, h.arrayLBA = 1, 0, usualArrayLBA
	h.firstUsable = usualArrayLBA + h.arraySectors(int64(size))
	h.put(sector)

	t.SectorSize = size
	if hybrid(e.first) {
		t.Findings = append(slices.Clip(t.Findings), fmt.Sprintf("The hybrid MBR counts in sectors of %d bytes and is replaced by a protective one.", e.sectorSize))
	}
	protect(e.first, t.DiskSize/int64(size))
	t.Sectors = slices.Concat(part.NonZero(0, e.first), part.NonZero(int64(size), sector), part.NonZero(usualArrayLBA*int64(size), array))
	slices.SortFunc(t.Sectors, func(a, b part.Sectors) int { return cmp.Compare(a.Offset, b.Offset) })
	return t, nil
}

// hybrid reports whether LBA 0 describes more than the GPT's own space.
func hybrid(first []byte) bool {
	for slot := range mbr.Slots {
		if e := mbr.EntryAt(first, slot); e.Used() && e.Type != mbr.TypeProtective {
			return true
		}
	}
	return false
}
