package btrfs

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
)

// maxLevel is the level of the highest possible root (BTRFS_MAX_LEVEL - 1).
const maxLevel = 7

// Object IDs of trees and of well-known objects (BTRFS_*_OBJECTID).
const (
	rootTree   = 1
	extentTree = 2
	chunkTree  = 3
	deviceTree = 4
	logTree    = math.MaxUint64 - 5 // -6

	firstChunk    = 256
	balanceObject = math.MaxUint64 - 3 // -4
)

// Key types (BTRFS_*_KEY).
const (
	fileExtentItem = 108
	rootItem       = 132
	extentItem     = 168
	metadataItem   = 169
	chunkItem      = 228
	temporaryItem  = 248
	replaceItem    = 250
)

// Sizes of struct btrfs_header, btrfs_disk_key, btrfs_item and btrfs_key_ptr.
const (
	headerSize  = 101
	keySize     = 17
	itemSize    = keySize + 8
	pointerSize = keySize + 16
)

// key is struct btrfs_disk_key; keys order the items of a tree.
type key struct {
	object uint64
	kind   uint8
	offset uint64
}

var (
	firstKey = key{}
	lastKey  = key{math.MaxUint64, math.MaxUint8, math.MaxUint64}
)

func decodeKey(p []byte) key {
	return key{binary.LittleEndian.Uint64(p), p[8], binary.LittleEndian.Uint64(p[9:])}
}

func (k key) compare(o key) int {
	return cmp.Or(cmp.Compare(k.object, o.object), cmp.Compare(k.kind, o.kind), cmp.Compare(k.offset, o.offset))
}

func (k key) String() string { return fmt.Sprintf("(%d %d %d)", int64(k.object), k.kind, k.offset) }

// ref names a tree block as its parent does, with all the block must agree to.
type ref struct {
	logical    int64 // negative when the disk says something beyond 2^63
	generation uint64
	owner      uint64 // object ID of the tree
	level      int
	first      key  // the block's first key
	root       bool // a root has no parent that knows its first key, and may be empty
}

// treeBlock is the verified bytes of one tree block: struct btrfs_leaf at level
// 0, struct btrfs_node above.
type treeBlock []byte

func (b treeBlock) u64(at int) uint64  { return binary.LittleEndian.Uint64(b[at:]) }
func (b treeBlock) count() int         { return int(binary.LittleEndian.Uint32(b[0x60:])) }
func (b treeBlock) level() int         { return int(b[0x64]) }
func (b treeBlock) leafKey(i int) key  { return decodeKey(b[headerSize+i*itemSize:]) }
func (b treeBlock) childKey(i int) key { return decodeKey(b[headerSize+i*pointerSize:]) }

// item returns the bytes of a leaf's item. The range is inside the block: check
// has seen to that.
func (b treeBlock) item(i int) []byte {
	start, size := b.itemRange(i)
	return b[start : start+size]
}

func (b treeBlock) itemRange(i int) (start, size int64) {
	p := b[headerSize+i*itemSize+keySize:]
	return headerSize + int64(binary.LittleEndian.Uint32(p)), int64(binary.LittleEndian.Uint32(p[4:]))
}

// child returns the reference to the i-th child of the block that parent names.
func (b treeBlock) child(i int, parent ref) ref {
	at := headerSize + i*pointerSize
	return ref{
		logical:    int64(b.u64(at + keySize)),
		generation: b.u64(at + keySize + 8),
		owner:      parent.owner,
		level:      parent.level - 1,
		first:      b.childKey(i),
	}
}

// check holds a block of which only the checksum is known to be right against
// the reference that led to it (btrfs_validate_extent_buffer, tree-checker.c).
func (b treeBlock) check(want ref, id uuid) error {
	switch {
	case uuid(b[0x20:]) != id:
		return fmt.Errorf("belongs to file system %v", uuid(b[0x20:]))
	case b.u64(0x30) != uint64(want.logical):
		return fmt.Errorf("says that it is block %d", b.u64(0x30))
	case b.u64(0x50) != want.generation:
		return fmt.Errorf("generation %d, expected %d", b.u64(0x50), want.generation)
	case b.u64(0x58) != want.owner:
		return fmt.Errorf("belongs to tree %d", int64(b.u64(0x58)))
	case b.level() != want.level:
		return fmt.Errorf("level %d, expected %d", b.level(), want.level)
	case b.level() == 0:
		return b.checkLeaf(want)
	}
	return b.checkNode(want)
}

func (b treeBlock) checkLeaf(want ref) error {
	n, room := uint64(binary.LittleEndian.Uint32(b[0x60:])), uint64(len(b)-headerSize)/itemSize
	if n > room || n == 0 && !want.root {
		return fmt.Errorf("%d items", n)
	}
	for i := range int(n) {
		start, size := b.itemRange(i)
		if start < int64(headerSize+int(n)*itemSize) || start+size > int64(len(b)) {
			return fmt.Errorf("item %d of %d has %d bytes at %d", i, n, size, start)
		}
	}
	return checkKeys(int(n), b.leafKey, want)
}

func (b treeBlock) checkNode(want ref) error {
	n, room := uint64(binary.LittleEndian.Uint32(b[0x60:])), uint64(len(b)-headerSize)/pointerSize
	if n == 0 || n > room {
		return fmt.Errorf("%d children", n)
	}
	return checkKeys(int(n), b.childKey, want)
}

func checkKeys(n int, at func(int) key, want ref) error {
	if n > 0 && !want.root && at(0) != want.first {
		return fmt.Errorf("begins with key %v, expected %v", at(0), want.first)
	}
	for i := 1; i < n; i++ {
		if at(i-1).compare(at(i)) >= 0 {
			return fmt.Errorf("keys %v and %v are out of order", at(i-1), at(i))
		}
	}
	return nil
}
