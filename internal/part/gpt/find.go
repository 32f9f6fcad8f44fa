package gpt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Found is what a disk holds of a GPT, before it is judged.
type Found struct {
	r                         block.Reader
	sectorSize, sectors       int64
	primary, backup           *tableCopy // nil when not valid
	primaryFault, backupFault error      // why it is nil
}

// tableCopy is a header with its entries, checksums verified.
type tableCopy struct {
	header
	sector []byte // the header's sector
	array  []byte // the entries, padded to whole sectors as on the disk
}

// Find looks for both copies, taking sectors to be sectorSize bytes. A copy that
// cannot be read counts as damaged.
func Find(r block.Reader, sectorSize int) *Found {
	f := &Found{r: r, sectorSize: int64(sectorSize), sectors: r.Size() / int64(sectorSize)}
	f.primary, f.primaryFault = f.read(1)
	places := []int64{f.sectors - 1, f.alternate()}
	if f.primary != nil {
		places[0], places[1] = places[1], places[0]
	}
	for _, lba := range places {
		if f.backup, f.backupFault = f.read(lba); f.backup != nil {
			break
		}
	}
	return f
}

// alternate is where the primary header says the backup is: in the middle of a
// disk that has grown, if not in the last sector. Of a damaged header it is a
// hint, for what it leads to proves itself.
func (f *Found) alternate() int64 {
	sector, err := f.sector(1)
	if err != nil || string(sector[:8]) != magic {
		return 0
	}
	lba := binary.LittleEndian.Uint64(sector[32:])
	if lba <= 1 || lba >= uint64(f.sectors) {
		return 0
	}
	return int64(lba)
}

// Valid reports which copies can be trusted.
func (f *Found) Valid() (primary, backup bool) { return f.primary != nil, f.backup != nil }

func (f *Found) sector(lba int64) ([]byte, error) {
	if lba < 1 || lba >= f.sectors {
		return nil, errNoMagic
	}
	b := make([]byte, f.sectorSize)
	return b, block.ReadFull(f.r, b, lba*f.sectorSize)
}

func (f *Found) read(lba int64) (*tableCopy, error) {
	sector, err := f.sector(lba)
	if err != nil {
		return nil, err
	}
	h, err := decodeHeader(sector, lba, f.sectors)
	if err != nil {
		return nil, err
	}
	array, err := f.array(h)
	if err != nil {
		return nil, err
	}
	if crc32.ChecksumIEEE(array[:h.arrayBytes()]) != h.arrayCRC {
		return nil, errors.New("the checksum of the partition entries is wrong")
	}
	return &tableCopy{h, sector, array}, nil
}

func (f *Found) array(h header) ([]byte, error) {
	b := make([]byte, h.arraySectors(f.sectorSize)*f.sectorSize)
	if err := block.ReadFull(f.r, b, h.arrayLBA*f.sectorSize); err != nil {
		return nil, fmt.Errorf("the partition entries cannot be read: %w", err)
	}
	return b, nil
}

// entry is the raw entry with the given index, which is below count.
func (c *tableCopy) entry(index int) []byte {
	return c.array[index*int(c.entrySize):][:c.entrySize]
}
