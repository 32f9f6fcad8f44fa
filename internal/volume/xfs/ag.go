package xfs

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

const (
	agfMagic = "XAGF"
	agfCRC   = 216 // offset of agf_crc
)

// agHeader is struct xfs_agf, the second sector of an AG, as far as it says
// what is free. Version 4 has zeros from UUID on.
type agHeader struct {
	Magic      [4]byte
	Version    uint32
	Number     uint32
	Length     uint32 // blocks
	FreeRoot   uint32 // block of the tree of free extents by start
	_          [2]uint32
	FreeLevels uint32 // of that tree; 1 is a root that is a leaf
	_          [4]uint32
	ListCount  uint32 // blocks on the free list (AGFL), kept for the AG's trees
	FreeBlocks uint32 // in the tree of free extents
	_          uint32
	TreeBlocks uint32 // of the AG's trees of free space and of owners, without their roots
	UUID       uuid
}

// walk collects the used map, AG after AG.
type walk struct {
	r     block.Reader
	sb    *superblock
	block []byte // one tree block

	used extent.Builder
	at   int64  // everything before it is in used or free
	free uint64 // blocks, as the superblock counts them
}

// usedUpTo adds what lies between the last free extent and offset.
func (w *walk) usedUpTo(offset int64) {
	w.used.Add(w.at, offset-w.at)
	w.at = offset
}

// group takes in one AG.
func (w *walk) group(ctx context.Context, number uint32) error {
	agf, err := w.readAGHeader(number)
	if err != nil {
		return err
	}
	tree := &freeTree{walk: w, ag: number, levels: uint16(agf.FreeLevels), root: agf.FreeRoot, length: agf.Length}
	free, err := tree.freeExtents(ctx)
	if err != nil {
		return err
	}
	if free != uint64(agf.FreeBlocks) {
		return damage(fmt.Sprintf("AG %d free block count", number), w.agfOffset(number),
			"agf_freeblks is %d, its tree holds %d", agf.FreeBlocks, free)
	}
	w.free += free + uint64(agf.ListCount)
	if w.sb.lazyCount() {
		w.free += uint64(agf.TreeBlocks)
	}
	return nil
}

// checkTotal holds what the AGs add up to against the superblock's counter. That
// takes for free what is in the trees, on the free lists, and the blocks of the
// trees themselves but for their roots. Without lazy counting no AG keeps a
// reliable number of the last (xfs_repair leaves it at zero), so the sum is
// only a lower bound there.
func (w *walk) checkTotal() error {
	total := w.sb.FreeBlocks
	if w.free == total || w.free < total && !w.sb.lazyCount() {
		return nil
	}
	return damage("superblock free block count", 0, "sb_fdblocks is %d, the AGs add up to %d", total, w.free)
}

func (w *walk) agfOffset(number uint32) int64 {
	return w.sb.agOffset(number) + int64(w.sb.SectorSize)
}

func (w *walk) readAGHeader(number uint32) (*agHeader, error) {
	at, what := w.agfOffset(number), fmt.Sprintf("AG %d header (AGF)", number)
	sector := make([]byte, w.sb.SectorSize)
	if err := block.ReadFull(w.r, sector, at); err != nil {
		return nil, err
	}
	agf := new(agHeader)
	if _, err := binary.Decode(sector, binary.BigEndian, agf); err != nil {
		return nil, err
	}
	switch {
	case string(agf.Magic[:]) != agfMagic || agf.Version != 1:
		return nil, damage(what, at, "magic number %q, version %d", agf.Magic, agf.Version)
	case agf.Number != number:
		return nil, damage(what, at, "says that it is of AG %d", agf.Number)
	case agf.Length != w.sb.agLength(number):
		return nil, damage(what, at, "%d blocks, the superblock gives it %d", agf.Length, w.sb.agLength(number))
	case agf.FreeLevels == 0 || agf.FreeLevels > maxTreeLevels:
		return nil, damage(what, at, "free-space tree of %d levels", agf.FreeLevels)
	case !w.sb.v5():
		return agf, nil
	case agf.UUID != w.sb.metaUUID():
		return nil, damage(what, at, "of another file system, %v", agf.UUID)
	}
	return agf, checkCRC(what, sector, agfCRC, at)
}
