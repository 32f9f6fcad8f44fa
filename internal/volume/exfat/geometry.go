package exfat

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	firstCluster = 2
	maxClusters  = 1<<32 - 11 // section 3.1.9
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

// parseGeometry reads the fields of a boot sector (section 3.1), which lies at
// off, and holds them to the ranges that the specification gives each.
func parseGeometry(sector []byte, off int64) (*geometry, error) {
	le := binary.LittleEndian
	var (
		length      = le.Uint64(sector[72:])
		tableOffset = int64(le.Uint32(sector[80:]))
		tableLength = int64(le.Uint32(sector[84:]))
		heapOffset  = int64(le.Uint32(sector[88:]))
		clusters    = int64(le.Uint32(sector[92:]))
		root        = int64(le.Uint32(sector[96:]))
		flags       = le.Uint16(sector[106:])
		sectorShift = sector[108]
		shift       = sector[109] // sectors per cluster
		tables      = int64(sector[110])
	)
	damage := func(why string, args ...any) error {
		return &volume.DamageError{Kind: "exfat", What: "boot sector", Offset: off, Why: fmt.Sprintf(why, args...)}
	}
	switch {
	case sectorShift < minSectorShift || sectorShift > maxSectorShift:
		return nil, damage("sectors of 2^%d bytes", sectorShift)
	case shift > 25-sectorShift:
		return nil, damage("clusters of 2^%d sectors", shift)
	case tables != 1 && tables != 2:
		return nil, damage("%d allocation tables", tables)
	case length > 1<<62>>sectorShift:
		return nil, damage("%d sectors", length)
	case clusters == 0 || clusters > maxClusters:
		return nil, damage("%d clusters", clusters)
	case heapOffset+clusters<<shift > int64(length):
		return nil, damage("%d clusters end behind the volume's %d sectors", clusters, length)
	case tableOffset < 2*regionSectors || tableOffset+tables*tableLength > heapOffset:
		return nil, damage("%d sectors of tables at sector %d do not fit in front of sector %d", tables*tableLength, tableOffset, heapOffset)
	case tableLength<<sectorShift < (clusters+firstCluster)*entryBytes:
		return nil, damage("a table of %d sectors is too short for %d clusters", tableLength, clusters)
	}
	g := &geometry{
		size:        int64(length) << sectorShift,
		clusterSize: 1 << (sectorShift + shift),
		clusters:    clusters,
		tableStart:  tableOffset << sectorShift,
		tableSize:   tableLength << sectorShift,
		tables:      int(tables),
		heapStart:   heapOffset << sectorShift,
		rootCluster: root,
	}
	if tables == 2 {
		g.activeTable = int(flags & flagActiveTable)
	}
	if !g.valid(root) {
		return nil, damage("the root directory begins at cluster %d of %d", root, clusters)
	}
	return g, nil
}
