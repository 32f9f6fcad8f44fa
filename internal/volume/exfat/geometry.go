package exfat

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	firstCluster = 2
	maxClusters  = 1<<32 - 11 // section 3.1.9

	maxClusterShift = 25      // log2 of 32 MiB, section 3.1.15
	maxVolumeBytes  = 1 << 62 // what an int64 of bytes can address, with room to add
)

// geometry is where everything lies, in bytes from the volume's start. It is
// consistent in itself; whether the volume is that long is not its business.
type geometry struct {
	size        int64
	clusterSize int64
	clusters    int64
	tableStart  int64 // first FAT
	tableSize   int64 // of one FAT
	tables      int   // 2 on TexFAT
	activeTable int
	heapStart   int64 // first cluster
	rootCluster int64 // first cluster of the root directory
}

// clusterOffset is where cluster n lies; n is one that valid accepts.
func (g *geometry) clusterOffset(n int64) int64 { return g.heapStart + (n-firstCluster)*g.clusterSize }

func (g *geometry) valid(cluster int64) bool {
	return cluster >= firstCluster && cluster < g.clusters+firstCluster
}

// fields are a boot sector's, in sectors where nothing else is said (section 3.1).
type fields struct {
	length      uint64 // of the volume
	tableOffset int64
	tableLength int64
	tables      int64
	heapOffset  int64
	clusters    int64
	root        int64 // cluster
	flags       uint16
	sectorShift uint8 // log2 of bytes per sector
	shift       uint8 // log2 of sectors per cluster
}

func parseFields(sector []byte) fields {
	le := binary.LittleEndian
	return fields{
		length:      le.Uint64(sector[72:]),
		tableOffset: int64(le.Uint32(sector[80:])),
		tableLength: int64(le.Uint32(sector[84:])),
		heapOffset:  int64(le.Uint32(sector[88:])),
		clusters:    int64(le.Uint32(sector[92:])),
		root:        int64(le.Uint32(sector[96:])),
		flags:       le.Uint16(sector[106:]),
		sectorShift: sector[108],
		shift:       sector[109],
		tables:      int64(sector[110]),
	}
}

// check holds the fields to the ranges that the specification gives each, and
// says what is wrong, "" for nothing. It orders its cases so that no shift overflows.
func (f fields) check() string {
	switch {
	case f.sectorShift < minSectorShift || f.sectorShift > maxSectorShift:
		return fmt.Sprintf("sectors of 2^%d bytes", f.sectorShift)
	case f.shift > maxClusterShift-f.sectorShift:
		return fmt.Sprintf("clusters of 2^%d sectors", f.shift)
	case f.tables != 1 && f.tables != 2:
		return fmt.Sprintf("%d allocation tables", f.tables)
	case f.length > maxVolumeBytes>>f.sectorShift:
		return fmt.Sprintf("%d sectors", f.length)
	case f.clusters == 0 || f.clusters > maxClusters:
		return fmt.Sprintf("%d clusters", f.clusters)
	case f.root < firstCluster || f.root >= f.clusters+firstCluster:
		return fmt.Sprintf("the root directory begins at cluster %d of %d", f.root, f.clusters)
	case f.heapOffset+f.clusters<<f.shift > int64(f.length):
		return fmt.Sprintf("%d clusters end behind the volume's %d sectors", f.clusters, f.length)
	case f.tableOffset < 2*regionSectors || f.tableOffset+f.tables*f.tableLength > f.heapOffset:
		return fmt.Sprintf("%d sectors of tables at sector %d do not fit in front of sector %d", f.tables*f.tableLength, f.tableOffset, f.heapOffset)
	case f.tableLength<<f.sectorShift < (f.clusters+firstCluster)*entryBytes:
		return fmt.Sprintf("a table of %d sectors is too short for %d clusters", f.tableLength, f.clusters)
	}
	return ""
}

// parseGeometry lays out the volume that the boot sector at off describes.
func parseGeometry(sector []byte, off int64) (*geometry, error) {
	f := parseFields(sector)
	if why := f.check(); why != "" {
		return nil, &volume.DamageError{Kind: "exfat", What: "boot sector", Offset: off, Why: why}
	}
	g := &geometry{
		size:        int64(f.length) << f.sectorShift,
		clusterSize: 1 << (f.sectorShift + f.shift),
		clusters:    f.clusters,
		tableStart:  f.tableOffset << f.sectorShift,
		tableSize:   f.tableLength << f.sectorShift,
		tables:      int(f.tables),
		heapStart:   f.heapOffset << f.sectorShift,
		rootCluster: f.root,
	}
	if f.tables == 2 {
		g.activeTable = int(f.flags & flagActiveTable)
	}
	return g, nil
}
