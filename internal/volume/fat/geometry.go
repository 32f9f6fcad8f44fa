package fat

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/volume"
)

// Most clusters that a table of each width can address (fatgen103, "FAT Type Determination").
const (
	maxClusters12 = 4084
	maxClusters16 = 65524
	maxClusters32 = 0x0ffffff5
)

// maxTables is the most copies of the FAT that formatters make; drivers use two.
const maxTables = 4

// firstCluster is the number of the first cluster; the table's entries 0 and 1 are flags.
const firstCluster = 2

const dirEntryBytes = 32

// geometry is where everything lies, in bytes from the volume's start. It is
// consistent in itself; whether the volume is that long is not its business.
type geometry struct {
	bits        int   // width of a table entry: 12, 16 or 32
	size        int64 // whole volume
	clusterSize int64
	clusters    int64 // data clusters that the volume's length allows
	tableStart  int64 // first FAT
	tableSize   int64 // of one FAT
	tables      int
	rootStart   int64 // fixed root directory of FAT12 and FAT16
	rootSize    int64 // 0 on FAT32
	dataStart   int64 // first cluster

	activeTable int   // the only one kept up to date, when not mirrored
	mirrored    bool  // all tables are copies of each other
	rootCluster int64 // FAT32: first cluster of the root directory
	infoOffset  int64 // FAT32: FSInfo sector, 0 when there is none
	version     uint16
}

func (g *geometry) kind() string { return fmt.Sprintf("fat%d", g.bits) }

// clusterOffset is where cluster n lies; n is at least firstCluster.
func (g *geometry) clusterOffset(n int64) int64 { return g.dataStart + (n-firstCluster)*g.clusterSize }

// clusterEnd is the number behind the last cluster.
func (g *geometry) clusterEnd() int64 { return g.clusters + firstCluster }

// entries is the number of table entries to look at: one for each cluster and
// the two flags, fewer when the table is too short for the volume.
func (g *geometry) entries() int64 {
	return min(g.clusterEnd(), g.tableSize*8/int64(g.bits))
}

// parseGeometry reads the BPB (fatgen103, "Boot Sector and BPB"). The numbers
// of the BPB are at most 32 bits and are multiplied in 64, where nothing overflows.
func parseGeometry(sector []byte) (*geometry, error) {
	le := binary.LittleEndian
	var (
		sectorSize  = int64(le.Uint16(sector[0x0b:]))
		perCluster  = int64(sector[0x0d])
		reserved    = int64(le.Uint16(sector[0x0e:]))
		tables      = int64(sector[0x10])
		rootEntries = int64(le.Uint16(sector[0x11:]))
		total       = int64(le.Uint16(sector[0x13:]))
		media       = sector[0x15]
		perTable    = int64(le.Uint16(sector[0x16:]))
	)
	if total == 0 {
		total = int64(le.Uint32(sector[0x20:]))
	}
	// Drivers take a volume without the 16-bit field for FAT32 even when it has
	// fewer clusters than the specification asks for; mkfs.fat -F 32 makes such.
	fat32 := perTable == 0
	if fat32 {
		perTable = int64(le.Uint32(sector[0x24:]))
	}
	switch {
	case !powerOfTwo(sectorSize) || sectorSize < 512 || sectorSize > 4096:
		return nil, bootDamage("%d bytes per sector", sectorSize)
	case !powerOfTwo(perCluster):
		return nil, bootDamage("%d sectors per cluster", perCluster)
	case reserved == 0:
		return nil, bootDamage("no reserved sectors")
	case tables == 0 || tables > maxTables:
		return nil, bootDamage("%d allocation tables", tables)
	case media != 0xf0 && media < 0xf8:
		return nil, bootDamage("media byte %#x", media)
	case perTable == 0:
		return nil, bootDamage("allocation tables of no length")
	case !fat32 && rootEntries == 0:
		return nil, bootDamage("no root directory")
	}
	g := &geometry{
		size:        total * sectorSize,
		clusterSize: perCluster * sectorSize,
		tableStart:  reserved * sectorSize,
		tableSize:   perTable * sectorSize,
		tables:      int(tables),
		mirrored:    true,
		rootSize:    (rootEntries*dirEntryBytes + sectorSize - 1) / sectorSize * sectorSize,
	}
	g.rootStart = g.tableStart + tables*g.tableSize
	g.dataStart = g.rootStart + g.rootSize
	if g.size < g.dataStart+g.clusterSize {
		return nil, bootDamage("%d sectors in all leave no room for a cluster", total)
	}
	g.clusters = (g.size - g.dataStart) / g.clusterSize
	if fat32 {
		return g, g.parse32(sector, reserved, sectorSize)
	}
	g.bits = 12
	if g.clusters > maxClusters12 {
		g.bits = 16
	}
	if g.clusters > maxClusters16 {
		return nil, bootDamage("%d clusters are too many for FAT16", g.clusters)
	}
	return g, nil
}

// parse32 reads the part of the BPB that only FAT32 has.
func (g *geometry) parse32(sector []byte, reserved, sectorSize int64) error {
	le := binary.LittleEndian
	g.bits = 32
	g.version = le.Uint16(sector[0x2a:])
	g.rootCluster = int64(le.Uint32(sector[0x2c:]))
	if n := int64(le.Uint16(sector[0x30:])); n < reserved { // 0 and 0xFFFF: none
		g.infoOffset = n * sectorSize
	}
	if flags := le.Uint16(sector[0x28:]); flags&0x80 != 0 {
		g.mirrored, g.activeTable = false, int(flags&0x0f)
	}
	switch {
	case g.clusters > maxClusters32:
		return bootDamage("%d clusters are too many for FAT32", g.clusters)
	case g.activeTable >= g.tables:
		return bootDamage("allocation table %d of %d is the active one", g.activeTable, g.tables)
	case g.rootCluster < firstCluster || g.rootCluster >= g.entries():
		return bootDamage("the root directory begins at cluster %d of %d", g.rootCluster, g.clusters)
	}
	return nil
}

func powerOfTwo(n int64) bool { return n > 0 && n&(n-1) == 0 }

func bootDamage(why string, args ...any) error {
	return &volume.DamageError{Kind: "fat", What: "boot sector", Why: fmt.Sprintf(why, args...)}
}
