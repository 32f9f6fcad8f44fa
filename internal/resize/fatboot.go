package resize

import (
	"encoding/binary"
	"errors"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Fields of the boot sector of FAT (fatgen103, "Boot Sector and BPB"), counted in
// sectors where they are not named otherwise.
const (
	fatSectorSize  = 0x0B // u16, bytes
	fatPerCluster  = 0x0D // u8
	fatReserved    = 0x0E // u16
	fatTables      = 0x10 // u8, copies
	fatRootEntries = 0x11 // u16
	fatTotal16     = 0x13 // u16
	fatPerTable16  = 0x16 // u16
	fatTotal32     = 0x20 // u32
	fatPerTable32  = 0x24 // u32, as all below of FAT32 only
	fatFlags       = 0x28 // u16: 0x80: only the table of this number is kept
	fatInfo        = 0x30 // u16
	fatBackup      = 0x32 // u16
)

// fatBoot is a boot sector.
type fatBoot struct{ sector []byte }

func readFATBoot(d block.Reader) (fatBoot, error) {
	p, err := superblock(d, 0, 512)
	if err != nil {
		return fatBoot{}, err
	}
	size := int(binary.LittleEndian.Uint16(p[fatSectorSize:]))
	if size < 512 || size > 4096 || size&(size-1) != 0 || p[510] != 0x55 || p[511] != 0xAA || p[fatPerCluster] == 0 || p[fatTables] == 0 {
		return fatBoot{}, errors.New("its boot sector is not one of FAT")
	}
	p, err = superblock(d, 0, size)
	return fatBoot{p}, err
}

func (b fatBoot) u16(at int) int64 { return int64(binary.LittleEndian.Uint16(b.sector[at:])) }
func (b fatBoot) u32(at int) int64 { return int64(binary.LittleEndian.Uint32(b.sector[at:])) }
func (b fatBoot) fat32() bool      { return b.u16(fatPerTable16) == 0 }

// write writes the boot sector, and on FAT32 its backup first.
func (b fatBoot) write(d block.Writer) error {
	size := int64(len(b.sector))
	if at := b.u16(fatBackup); b.fat32() && at > 0 && at < b.u16(fatReserved) {
		if _, err := d.WriteAt(b.sector, at*size); err != nil {
			return err
		}
	}
	_, err := d.WriteAt(b.sector, 0)
	return err
}

// fatLayout is how a FAT volume is divided, in sectors of size bytes.
type fatLayout struct {
	size                                                         int64
	perCluster, reserved, tables, perTable, rootDirectory, total int64
	bits                                                         int64 // of an entry of a table
}

func (b fatBoot) layout(kind string) (fatLayout, error) {
	l := fatLayout{
		size: int64(len(b.sector)), perCluster: int64(b.sector[fatPerCluster]), reserved: b.u16(fatReserved),
		tables: int64(b.sector[fatTables]), perTable: b.u16(fatPerTable16), total: b.u16(fatTotal16),
	}
	l.rootDirectory = (b.u16(fatRootEntries)*32 + l.size - 1) / l.size
	if b.fat32() {
		l.perTable = b.u32(fatPerTable32)
	}
	if l.total == 0 {
		l.total = b.u32(fatTotal32)
	}
	l.bits = map[string]int64{"fat12": 12, "fat16": 16, "fat32": 32}[kind]
	if l.bits == 0 || l.bits == 32 != b.fat32() || l.clusters() < 1 || l.clusters() > l.mostClusters() || l.tableNeeds() > l.perTable {
		return l, errors.New("its boot sector contradicts itself")
	}
	return l, nil
}

// mostClusters is what entries of a width can count (fatgen103, "FAT Type
// Determination"); with more the volume would be of another type.
func (l fatLayout) mostClusters() int64 {
	switch l.bits {
	case 12:
		return 4084
	case 16:
		return 65524
	}
	return 0x0FFFFFF5
}

// root is the first sector of the root directory of FAT12 and FAT16, data that of
// the first cluster.
func (l fatLayout) root() int64 { return l.reserved + l.tables*l.perTable }
func (l fatLayout) data() int64 { return l.root() + l.rootDirectory }

func (l fatLayout) clusters() int64 { return (l.total - l.data()) / l.perCluster }

// tableNeeds is how many sectors a table must have. Its first two entries are flags.
func (l fatLayout) tableNeeds() int64 {
	return ((l.clusters()+2)*l.bits + 8*l.size - 1) / (8 * l.size)
}

// set writes what differs in a volume that grew into the boot sector.
func (b fatBoot) set(l fatLayout) {
	le := binary.LittleEndian
	if b.fat32() {
		le.PutUint32(b.sector[fatPerTable32:], uint32(l.perTable))
	} else {
		le.PutUint16(b.sector[fatPerTable16:], uint16(l.perTable))
	}
	le.PutUint16(b.sector[fatTotal16:], 0)
	le.PutUint32(b.sector[fatTotal32:], 0)
	if l.total < 1<<16 && !b.fat32() {
		le.PutUint16(b.sector[fatTotal16:], uint16(l.total))
	} else {
		le.PutUint32(b.sector[fatTotal32:], uint32(l.total))
	}
}
