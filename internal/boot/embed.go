package boot

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// coreSegment is where the rest of a core is loaded, as a segment of real mode
// (GRUB_BOOT_MACHINE_KERNEL_SEG + 0x20).
const coreSegment = 0x820

// Embed returns the writes that put a core image, as grub-mkimage makes it, into a
// stretch of the disk that belongs to nobody else: the gap behind an MBR, or a
// BIOS boot partition. boot is the first sector of the disk, with GRUB's code. It
// is what grub-bios-setup does, without the copies of sectors that it adds against
// programs that write into the gap.
func Embed(boot, core []byte, room extent.Extent) ([]part.Write, error) {
	const what = "GRUB's core image"
	size := (int64(len(core)) + sectorSize - 1) / sectorSize * sectorSize
	switch {
	case len(boot) < sectorSize || identify(boot) != GRUBCode:
		return nil, malformed("boot sector", "it does not hold GRUB's code")
	case len(core) < 2*sectorSize || size > maxCore:
		return nil, malformed(what, "%d bytes cannot be one", len(core))
	case size > room.Length || room.Start%sectorSize != 0 || room.Start == 0:
		return nil, fmt.Errorf("%s needs %d bytes, and there are %d at %#x for it", what, size, room.Length, room.Start)
	}
	data := make([]byte, size)
	copy(data, core)
	first := room.Start / sectorSize
	list := data[firstListAt:]
	binary.LittleEndian.PutUint64(list, uint64(first+1))
	binary.LittleEndian.PutUint16(list[8:], uint16(size/sectorSize-1))
	binary.LittleEndian.PutUint16(list[10:], coreSegment)
	clear(data[firstListAt-listSize : firstListAt])
	writes := []part.Write{
		{Offset: room.Start, Data: data, Sync: true, What: what},
		{Offset: coreSectorAt, Data: binary.LittleEndian.AppendUint64(nil, uint64(first)), Sync: true, What: "place of GRUB's core image in the boot sector"},
	}
	return writes, nil
}

// CoreRoom is where the core image is that boot, the first sector of r, loads: its
// first sector, up to the end of the space that no partition has.
func CoreRoom(r block.Reader, t part.Table) (extent.Extent, error) {
	boot := make([]byte, sectorSize)
	if err := block.ReadFull(r, boot, 0); err != nil {
		return extent.Extent{}, err
	}
	c, err := readCore(r, boot)
	if err != nil {
		return extent.Extent{}, err
	}
	at := c.first * sectorSize
	for _, free := range t.Gaps() {
		if free.Start <= at && at < free.End() {
			return extent.Extent{Start: at, Length: free.End() - at}, nil
		}
	}
	for _, p := range t.Partitions {
		if !p.Extended && p.Start <= at && at < p.Start+p.Length {
			return extent.Extent{Start: at, Length: p.Start + p.Length - at}, nil
		}
	}
	return extent.Extent{}, malformed("GRUB's core image", "sector %d is in no gap and no partition", c.first)
}
