package fat

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// pieceBytes is how much of each table is read at a time. It is a whole number
// of 16- and 32-bit entries, and more than a whole FAT12.
const pieceBytes = 1 << 20

// scan is what a pass over the allocation tables found.
type scan struct {
	used   extent.Builder // clusters in use
	free   int64          // clusters whose entry is free in every table that counts
	differ bool           // the tables are not copies of each other
	root   bool           // the first cluster of a FAT32 root directory is in use
}

// scanTables reads all tables that count side by side. A cluster is free when
// it is free in each: where copies differ nobody knows which one is right.
func scanTables(ctx context.Context, r block.Reader, g *geometry) (*scan, error) {
	s := &scan{}
	merged := make([]byte, min(pieceBytes, g.tableSize))
	other := make([]byte, len(merged))
	perPiece := int64(pieceBytes * 8 / g.bits)
	for first := int64(0); first < g.entries(); first += perPiece {
		n := min(perPiece, g.entries()-first)
		length := (n*int64(g.bits) + 7) / 8
		if err := s.merge(ctx, r, g, first, merged[:length], other[:length]); err != nil {
			return nil, err
		}
		s.add(g, merged, first, n)
	}
	// Clusters that the table is too short for cannot be told free.
	beyond := g.clusterEnd() - g.entries()
	s.used.Add(g.clusterOffset(g.entries()), beyond*g.clusterSize)
	return s, nil
}

// merge fills merged with a piece of the tables, beginning with entry first: the
// bits that are set in any of them. Only a free entry has none. other is scratch
// space of the same length.
func (s *scan) merge(ctx context.Context, r block.Reader, g *geometry, first int64, merged, other []byte) error {
	for i, table := range g.liveTables() {
		if err := ctx.Err(); err != nil {
			return err
		}
		into := other
		if i == 0 {
			into = merged
		}
		if err := block.ReadFull(r, into, g.entryOffset(table, first)); err != nil {
			return fmt.Errorf("%s: read allocation table %d: %w", g.kind(), table, err)
		}
		if bytes.Equal(merged, into) {
			continue
		}
		s.differ = true
		for j, b := range other {
			merged[j] |= b
		}
	}
	return nil
}

// add takes n entries of a piece of the table, the first of which is cluster first's.
func (s *scan) add(g *geometry, piece []byte, first, n int64) {
	for i := max(0, firstCluster-first); i < n; i++ {
		if entry(g.bits, piece, i) == 0 {
			s.free++
			continue
		}
		s.used.Add(g.clusterOffset(first+i), g.clusterSize)
		s.root = s.root || first+i == g.rootCluster
	}
}

// liveTables are the numbers of the tables that drivers keep up to date.
func (g *geometry) liveTables() []int {
	if !g.mirrored {
		return []int{g.activeTable}
	}
	all := make([]int, g.tables)
	for i := range all {
		all[i] = i
	}
	return all
}

// entryOffset is the offset of entry i of a table; on FAT12 i is even.
func (g *geometry) entryOffset(table int, i int64) int64 {
	return g.tableStart + int64(table)*g.tableSize + i*int64(g.bits)/8
}

// entry is entry i of a table or of a piece of one, 0 for a free cluster. The
// upper four bits of a FAT32 entry are reserved and say nothing.
func entry(bits int, table []byte, i int64) uint32 {
	le := binary.LittleEndian
	switch bits {
	case 32:
		return le.Uint32(table[4*i:]) & 0x0fffffff
	case 16:
		return uint32(le.Uint16(table[2*i:]))
	}
	pair := uint32(le.Uint16(table[i+i/2:]))
	if i%2 == 1 {
		return pair >> 4
	}
	return pair & 0xfff
}

// readEntry reads entry i of the active table of a FAT16 or FAT32 volume; i is
// less than g.entries().
func readEntry(r block.Reader, g *geometry, i int64) (uint32, error) {
	b := make([]byte, g.bits/8)
	if err := block.ReadFull(r, b, g.entryOffset(g.activeTable, i)); err != nil {
		return 0, fmt.Errorf("%s: read entry %d of the allocation table: %w", g.kind(), i, err)
	}
	return entry(g.bits, b, 0), nil
}
