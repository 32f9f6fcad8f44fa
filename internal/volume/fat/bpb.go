package fat

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/volume"
)

// maxTables is the most copies of the FAT that formatters make; drivers use two.
const maxTables = 4

// bpb is the part of the BPB that all types have (fatgen103, "Boot Sector and
// BPB"), in sectors where nothing else is said. Its numbers have at most 32 bits
// and are multiplied in 64, where nothing overflows.
type bpb struct {
	sectorSize  int64 // bytes
	perCluster  int64
	reserved    int64
	tables      int64 // copies of the FAT
	perTable    int64
	rootEntries int64 // entries of the fixed root directory, 0 on FAT32
	total       int64
	media       byte
	fat32       bool
}

func parseBPB(sector []byte) bpb {
	le := binary.LittleEndian
	b := bpb{
		sectorSize:  int64(le.Uint16(sector[0x0b:])),
		perCluster:  int64(sector[0x0d]),
		reserved:    int64(le.Uint16(sector[0x0e:])),
		tables:      int64(sector[0x10]),
		rootEntries: int64(le.Uint16(sector[0x11:])),
		total:       int64(le.Uint16(sector[0x13:])),
		media:       sector[0x15],
		perTable:    int64(le.Uint16(sector[0x16:])),
	}
	if b.total == 0 {
		b.total = int64(le.Uint32(sector[0x20:]))
	}
	// Drivers take a volume without the 16-bit field for FAT32 even when it has
	// fewer clusters than the specification asks for; mkfs.fat -F 32 makes such.
	if b.perTable == 0 {
		b.perTable, b.fat32 = int64(le.Uint32(sector[0x24:])), true
	}
	return b
}

// check holds each field to the values that drivers accept.
func (b bpb) check() error {
	switch {
	case !powerOfTwo(b.sectorSize) || b.sectorSize < 512 || b.sectorSize > 4096:
		return bootDamage("%d bytes per sector", b.sectorSize)
	case !powerOfTwo(b.perCluster):
		return bootDamage("%d sectors per cluster", b.perCluster)
	case b.reserved == 0:
		return bootDamage("no reserved sectors")
	case b.tables == 0 || b.tables > maxTables:
		return bootDamage("%d allocation tables", b.tables)
	case b.media != 0xf0 && b.media < 0xf8:
		return bootDamage("media byte %#x", b.media)
	case b.perTable == 0:
		return bootDamage("allocation tables of no length")
	case !b.fat32 && b.rootEntries == 0:
		return bootDamage("no root directory")
	}
	return nil
}

func powerOfTwo(n int64) bool { return n > 0 && n&(n-1) == 0 }

func bootDamage(why string, args ...any) error {
	return &volume.DamageError{Kind: "fat", What: "boot sector", Why: fmt.Sprintf(why, args...)}
}
