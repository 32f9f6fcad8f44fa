package boot

import (
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// Relocate returns the writes that keep GRUB's boot code for BIOS working after
// the bytes of from, the partition that holds its core, have gone to offset to. r
// is the disk as it was before; the writes are for the disk as it is after. No
// write is needed, and none is returned, when the disk has no such boot code or
// its core lies outside of from. An error is a *FormatError when the code does
// not lead to a core.
//
// Offsets are bytes from the disk's start. What was written is checked like all
// else by CheckBIOS.
func Relocate(r block.Reader, from extent.Extent, to int64) ([]part.Write, error) {
	boot := make([]byte, sectorSize)
	if err := block.ReadFull(r, boot, 0); err != nil {
		return nil, err
	}
	if identify(boot) != GRUBCode || !inside(from, int64(binary.LittleEndian.Uint64(boot[coreSectorAt:]))) || to == from.Start {
		return nil, nil
	}
	c, err := readCore(r, boot)
	if err != nil {
		return nil, err
	}
	if (to-from.Start)%sectorSize != 0 {
		return nil, malformed("GRUB's core image", "it cannot be moved by %d bytes, as it counts in sectors of %d", to-from.Start, sectorSize)
	}
	delta := (to - from.Start) / sectorSize
	for _, l := range c.lists {
		if inside(from, l.start) {
			binary.LittleEndian.PutUint64(c.head[l.at:], uint64(l.start+delta))
		}
	}
	first := binary.LittleEndian.AppendUint64(nil, uint64(c.first+delta))
	return []part.Write{
		{Offset: (c.first + delta) * sectorSize, Data: c.head, Sync: true, What: "first sector of GRUB's core image"},
		{Offset: coreSectorAt, Data: first, Sync: true, What: "place of GRUB's core image in the boot sector"},
	}, nil
}

func inside(e extent.Extent, sector int64) bool {
	return sector >= e.Start/sectorSize && sector < (e.Start+e.Length)/sectorSize
}
