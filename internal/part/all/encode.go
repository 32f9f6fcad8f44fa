package all

import (
	"bytes"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/gpt"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// Encode returns the writes, in order, that put t on a disk of diskSize bytes
// with t's sector size; see gpt.Encode and mbr.Encode. For a disk of the
// source's size they restore the source's table as it was after repair. Without
// a table there is nothing to write.
func Encode(t part.Table, diskSize int64) ([]part.Write, error) {
	if s := t.SectorSize; s < mbr.Size || s&(s-1) != 0 {
		return nil, fmt.Errorf("write partition table: it counts in sectors of %d bytes", s)
	}
	switch t.Kind {
	case part.GPT:
		return gpt.Encode(t, diskSize)
	case part.MBR:
		return mbr.Encode(t, diskSize)
	case part.None:
		return nil, nil
	}
	return nil, fmt.Errorf("write partition table: its kind %q is unknown", t.Kind)
}

// Invalidate returns the writes that make a table of any kind unrecognisable on
// a disk of diskSize bytes whose writes come in units of sectorSize. LBA 0
// becomes marker, at most one sector long, filled up with zeros and never signed
// as a boot record; then both GPT headers are zeroed, where disks with sectors of
// 512 and of 4096 bytes have them. Write order: the marker is durable first.
func Invalidate(diskSize int64, sectorSize int, marker []byte) []part.Write {
	first := make([]byte, sectorSize)
	copy(first, marker)
	if mbr.Signed(first) {
		clear(first[mbr.Size-2 : mbr.Size])
	}
	writes := []part.Write{{Data: first, Sync: true, What: "marker in place of the partition table"}}
	zero := func(at int64, what string) {
		at = at / int64(sectorSize) * int64(sectorSize)
		for _, w := range writes {
			if w.Offset == at {
				return
			}
		}
		if at > 0 && at+int64(sectorSize) <= diskSize {
			writes = append(writes, part.Write{Offset: at, Data: bytes.Repeat([]byte{0}, sectorSize), What: what})
		}
	}
	for _, size := range []int64{mbr.Size, bigSector} {
		zero(size, "old primary GPT header")
		zero((diskSize/size-1)*size, "old backup GPT header")
	}
	writes[len(writes)-1].Sync = true
	return writes
}
