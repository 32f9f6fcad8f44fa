package resize

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Relocate tells the volume that its partition begins at the given sector. NTFS,
// FAT and exFAT keep that number in their boot sectors, for the code that starts
// a system from there; the other kinds do not, and nothing is done.
func (v Volume) Relocate(start int64) error {
	var move func(block.Writer, int64) error
	switch v.Kind {
	case "ntfs":
		move = moveNTFS
	case "fat12", "fat16", "fat32":
		move = moveFAT
	case "exfat":
		move = moveExFAT
	default:
		return nil
	}
	if err := change(v.Path, func(d disk) error { return move(d, start) }); err != nil {
		return fmt.Errorf("tell the %s volume that it begins at sector %d: %w", v.Kind, start, err)
	}
	return nil
}

// hidden is the sector at which a partition begins as a field of 32 bits says it:
// 0 where it is too far for that, and for the BIOS that asks.
func hidden(start int64) int64 {
	if start < 0 || start >= 1<<32 {
		return 0
	}
	return start
}

func moveNTFS(d block.Writer, start int64) error {
	b, err := readNTFSBoot(d)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(b.sector[bootHidden:], uint32(hidden(start)))
	return b.write(d)
}

func moveFAT(d block.Writer, start int64) error {
	b, err := readFATBoot(d)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(b.sector[bootHidden:], uint32(hidden(start)))
	return b.write(d)
}
