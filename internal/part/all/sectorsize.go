package all

import (
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/gpt"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// WithSectorSize returns t as it can be encoded for disks with logical sectors
// of size bytes, a power of two from 512 to 64 KiB. Partitions keep their places
// in bytes; Encode refuses those that are not whole sectors.
func WithSectorSize(t part.Table, size int) (part.Table, error) {
	if size < mbr.Size || size > maxSector || size&(size-1) != 0 {
		return part.Table{}, fmt.Errorf("convert partition table: a disk cannot have sectors of %d bytes", size)
	}
	if size == t.SectorSize {
		return t, nil
	}
	t.Partitions = slices.Clone(t.Partitions)
	switch t.Kind {
	case part.GPT:
		return gpt.WithSectorSize(t, size)
	case part.MBR:
		return mbr.WithSectorSize(t, size), nil
	}
	t.SectorSize = size
	return t, nil
}

// maxSector is the largest sector that the kernel knows, bytes.
const maxSector = 64 << 10
