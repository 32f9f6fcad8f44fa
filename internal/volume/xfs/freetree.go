package xfs

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
)

const (
	freeTreeMagicV4 = "ABTB"
	freeTreeMagicV5 = "AB3B"
	maxTreeLevels   = 9         // XFS_BTREE_MAXLEVELS
	noBlock         = 1<<32 - 1 // NULLAGBLOCK

	treeHeaderBytesV4 = 16
	treeHeaderBytesV5 = 56
	treeBlockCRC      = 52 // offset of bb_crc

	recordBytes  = 8 // struct xfs_alloc_rec, also the key: first block, number of blocks
	pointerBytes = 4
)

// treeHeader is struct xfs_btree_block with links inside one AG. Version 4 ends
// behind Right.
type treeHeader struct {
	Magic   [4]byte
	Level   uint16 // 0 is a leaf
	Count   uint16 // of records
	Left    uint32 // neighbour on the same level, noBlock at the end
	Right   uint32
	Address uint64 // its own, in units of 512 bytes from the volume's start
	_       uint64
	UUID    uuid
	AG      uint32
}

// freeTree is the tree of one AG's free extents, sorted by first block.
type freeTree struct {
	*walk
	ag     uint32
	levels uint16
	root   uint32
	length uint32 // blocks of the AG
}

// freeExtents adds everything before, between and behind the AG's free extents
// to the used map and returns how many blocks are free. It goes down the tree's
// left edge and then along the leaves. No chain of leaves can lead back, since
// each must name the one it was reached from as its left neighbour.
func (t *freeTree) freeExtents(ctx context.Context) (free uint64, err error) {
	leaf := t.root
	for level := t.levels - 1; level > 0; level-- {
		if _, err := t.read(leaf, level, noBlock); err != nil {
			return 0, err
		}
		leaf = binary.BigEndian.Uint32(t.block[t.pointersStart():])
	}
	next := t.sb.firstFree()
	for left := uint32(noBlock); leaf != noBlock; {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		header, err := t.read(leaf, 0, left)
		if err != nil {
			return 0, err
		}
		for i := range int(header.Count) {
			record := t.block[t.headerBytes()+i*recordBytes:]
			start, length := binary.BigEndian.Uint32(record), binary.BigEndian.Uint32(record[4:])
			if start < next || start >= t.length || length == 0 || length > t.length-start {
				return 0, damage(t.name(leaf), t.offset(leaf), "record %d, block %d length %d, behind %d of %d", i, start, length, next, t.length)
			}
			t.usedUpTo(t.offset(start))
			next = start + length
			t.at = t.offset(next)
			free += uint64(length)
		}
		left, leaf = leaf, header.Right
	}
	return free, nil
}

func (t *freeTree) name(number uint32) string {
	return fmt.Sprintf("AG %d free-space tree block %d", t.ag, number)
}

// offset is the byte at which a block of the AG starts.
func (t *freeTree) offset(number uint32) int64 {
	return t.sb.agOffset(t.ag) + int64(number)*t.sb.blockSize()
}

func (t *freeTree) headerBytes() int {
	if t.sb.v5() {
		return treeHeaderBytesV5
	}
	return treeHeaderBytesV4
}

// pointersStart is where the child pointers of a node begin: behind room for as
// many keys as there is room for pointers.
func (t *freeTree) pointersStart() int {
	room := len(t.block) - t.headerBytes()
	return t.headerBytes() + room/(recordBytes+pointerBytes)*recordBytes
}

// maxRecords is how many records a block of the given level has room for.
func (t *freeTree) maxRecords(level uint16) int {
	room := len(t.block) - t.headerBytes()
	if level == 0 {
		return room / recordBytes
	}
	return room / (recordBytes + pointerBytes)
}

// read reads a tree block into t.block and verifies that it is the one expected
// at this place: its level, and the neighbour it was reached from. Only a root
// may be empty.
func (t *freeTree) read(number uint32, level uint16, left uint32) (*treeHeader, error) {
	if number < t.sb.firstFree() || number >= t.length {
		return nil, damage(t.name(number), -1, "outside the AG of %d blocks", t.length)
	}
	at := t.offset(number)
	if err := block.ReadFull(t.r, t.block, at); err != nil {
		return nil, err
	}
	header := new(treeHeader)
	if _, err := binary.Decode(t.block, binary.BigEndian, header); err != nil {
		return nil, err
	}
	bad := func(format string, args ...any) error { return damage(t.name(number), at, format, args...) }
	magic := freeTreeMagicV4
	if t.sb.v5() {
		magic = freeTreeMagicV5
	}
	switch {
	case string(header.Magic[:]) != magic:
		return nil, bad("magic number %q, want %q", header.Magic, magic)
	case header.Level != level:
		return nil, bad("on level %d, want %d", header.Level, level)
	case int(header.Count) > t.maxRecords(level) || header.Count == 0 && number != t.root:
		return nil, bad("%d records, there is room for %d", header.Count, t.maxRecords(level))
	case header.Left != left:
		return nil, bad("left neighbour %d, want %d", header.Left, left)
	case !t.sb.v5():
		return header, nil
	case header.UUID != t.sb.metaUUID():
		return nil, bad("of another file system, %v", header.UUID)
	case header.AG != t.ag || header.Address != uint64(at)/daddrSize:
		return nil, bad("says that it is of AG %d, at %#x", header.AG, header.Address*daddrSize)
	}
	return header, checkCRC(t.name(number), t.block, treeBlockCRC, at)
}
