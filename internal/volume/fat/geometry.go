package fat

import (
	"encoding/binary"
	"fmt"
)

// Most clusters that a table of each width can address (fatgen103, "FAT Type Determination").
const (
	maxClusters12 = 4084
	maxClusters16 = 65524
	maxClusters32 = 0x0ffffff5
)

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

// parseGeometry lays out the volume that a boot sector describes, and tells its type.
func parseGeometry(sector []byte) (*geometry, error) {
	b := parseBPB(sector)
	if err := b.check(); err != nil {
		return nil, err
	}
	g := &geometry{
		size:        b.total * b.sectorSize,
		clusterSize: b.perCluster * b.sectorSize,
		tableStart:  b.reserved * b.sectorSize,
		tableSize:   b.perTable * b.sectorSize,
		tables:      int(b.tables),
		mirrored:    true,
		rootSize:    (b.rootEntries*dirEntryBytes + b.sectorSize - 1) / b.sectorSize * b.sectorSize,
	}
	g.rootStart = g.tableStart + b.tables*g.tableSize
	g.dataStart = g.rootStart + g.rootSize
	if g.size < g.dataStart+g.clusterSize {
		return nil, bootDamage("%d sectors in all leave no room for a cluster", b.total)
	}
	g.clusters = (g.size - g.dataStart) / g.clusterSize
	switch {
	case b.fat32:
		g.bits = 32
		return g, g.parse32(sector, b)
	case g.clusters <= maxClusters12:
		g.bits = 12
	case g.clusters <= maxClusters16:
		g.bits = 16
	default:
		return nil, bootDamage("%d clusters are too many for FAT16", g.clusters)
	}
	return g, nil
}

// parse32 reads the part of the BPB that only FAT32 has.
func (g *geometry) parse32(sector []byte, b bpb) error {
	le := binary.LittleEndian
	g.version = le.Uint16(sector[0x2a:])
	g.rootCluster = int64(le.Uint32(sector[0x2c:]))
	if n := int64(le.Uint16(sector[0x30:])); n < b.reserved { // 0 and 0xFFFF: none
		g.infoOffset = n * b.sectorSize
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
