package ntfs

import (
	"context"
	"encoding/binary"
)

const (
	minIndexBlock = 512
	maxIndexBlock = 64 << 10
	// maxIndexDepth ends a walk that goes in circles; a tree of 4 KiB blocks of
	// ten entries holds every possible record in ten levels.
	maxIndexDepth = 16
)

// indexName is "$I30", the index of names of a folder.
var indexName = []byte{'$', 0, 'I', 0, '3', 0, '0', 0}

// index is the name index of a folder: a B-tree, its root in the folder's record.
type index struct {
	m      *mft
	root   []byte // entries
	blocks stream // the other nodes
	size   int64  // bytes of a block
	unit   int64  // bytes that a block's number counts
}

// openIndex finds the name index of the folder in record number
// (INDEX_ROOT, INDEX_HDR).
func (m *mft) openIndex(ctx context.Context, number int64) (*index, error) {
	folder, err := m.record(number)
	if err != nil {
		return nil, err
	}
	what := "name index of " + folder.what()
	root, err := m.stream(ctx, folder, attrIndexRoot, indexName, what)
	if err != nil {
		return nil, err
	}
	if len(root.value) < 0x20 {
		return nil, damaged(what, folder.offset, "its root is missing or cut off")
	}
	ix := &index{m: m, size: int64(binary.LittleEndian.Uint32(root.value[8:]))}
	if ix.size < minIndexBlock || ix.size > maxIndexBlock || !powerOfTwo(ix.size) {
		return nil, damaged(what, folder.offset, "blocks of %d bytes", ix.size)
	}
	ix.unit = m.boot.cluster
	if ix.size < ix.unit {
		ix.unit = fixupStride
	}
	var ok bool
	if ix.root, ok = indexEntries(root.value[0x10:]); !ok {
		return nil, damaged(what, folder.offset, "the entries of its root are cut off")
	}
	ix.blocks, err = m.stream(ctx, folder, attrIndexAllocation, indexName, what)
	return ix, err
}

// indexEntries returns the entries that the header at the start of p describes.
func indexEntries(p []byte) ([]byte, bool) {
	le := binary.LittleEndian
	first, end := le.Uint32(p), le.Uint32(p[4:])
	if first < 0x10 || first > end {
		return nil, false
	}
	return cut(p, first, end-first)
}

// node reads a block (INDEX_BUFFER) and returns its entries.
func (ix *index) node(number int64) ([]byte, error) {
	if number < 0 || number > ix.blocks.size/ix.unit {
		return nil, damaged(ix.blocks.what, -1, "points to block %d of %d bytes", number, ix.blocks.size)
	}
	p := make([]byte, ix.size)
	at := number * ix.unit
	if err := ix.blocks.readAt(ix.m.r, ix.m.boot, p, at); err != nil {
		return nil, err
	}
	where := ix.blocks.offset(ix.m.boot, at)
	if string(p[:4]) != "INDX" {
		return nil, damaged(ix.blocks.what, where, "a block begins with %q", p[:4])
	}
	if err := undoFixups(p); err != nil {
		return nil, damaged(ix.blocks.what, where, "%v", err)
	}
	entries, ok := indexEntries(p[0x18:])
	if !ok || int64(binary.LittleEndian.Uint64(p[0x10:])) != number {
		return nil, damaged(ix.blocks.what, where, "a block is not the one that was looked for")
	}
	return entries, nil
}

// lookup returns the MFT_REF of the file that has an ASCII name, in any case.
func (ix *index) lookup(ctx context.Context, name string) (ref uint64, ok bool, err error) {
	entries := ix.root
	for depth := 0; depth < maxIndexDepth; depth++ {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		e, ok := seek(entries, name)
		if !ok {
			return 0, false, damaged(ix.blocks.what, -1, "the entries of a node are cut off")
		}
		if e.found || !e.hasChild {
			return e.ref, e.found, nil
		}
		if entries, err = ix.node(e.child); err != nil {
			return 0, false, err
		}
	}
	return 0, false, damaged(ix.blocks.what, -1, "more than %d levels", maxIndexDepth)
}
