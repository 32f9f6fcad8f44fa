package btrfs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
)

// batchBytes bounds what is read of one level of a tree at a time.
const batchBytes = 1 << 20

// forest reads the trees of one file system. It keeps a buffer for each level,
// so it is for one goroutine and one tree at a time.
type forest struct {
	r       block.Reader
	sb      *superblock
	chunks  chunkMap
	buffers [maxLevel + 1][]byte
}

// placed is a reference with its place on the device and in the level's buffer.
type placed struct {
	ref
	chunk chunk
	slot  []byte
}

func (p *placed) offset() int64 { return p.chunk.physical(p.logical, 0) }

// load reads and verifies tree blocks of one level, at most batchBytes or one
// block. What it returns is valid until the next load of that level.
func (f *forest) load(refs []ref) ([]treeBlock, error) {
	blocks := make([]*placed, len(refs))
	for i, r := range refs {
		c, ok := f.chunks.find(r.logical, f.sb.nodeSize)
		if !ok {
			return nil, damage(describe(r), -1, "lies outside every chunk")
		}
		blocks[i] = &placed{ref: r, chunk: c}
	}
	f.readTogether(slices.SortedFunc(slices.Values(blocks), func(a, b *placed) int {
		return cmp.Compare(a.offset(), b.offset())
	}))
	out := make([]treeBlock, len(blocks))
	for i, b := range blocks {
		if f.verify(b) != nil {
			if err := f.readCopies(b); err != nil {
				return nil, err
			}
		}
		out[i] = b.slot
	}
	return out, nil
}

// readTogether fills the slots of blocks that are sorted by their first place
// on the device, neighbours with one read. A read that fails leaves zeros,
// which do not verify; readCopies then finds out more.
func (f *forest) readTogether(sorted []*placed) {
	size := int(f.sb.nodeSize)
	level := sorted[0].level
	f.buffers[level] = slices.Grow(f.buffers[level][:0], len(sorted)*size)[:len(sorted)*size]
	buf := f.buffers[level]
	for i := range sorted {
		sorted[i].slot = buf[i*size:][:size]
	}
	for start := 0; start < len(sorted); {
		end := start + 1
		for end < len(sorted) && sorted[end].offset() == sorted[end-1].offset()+f.sb.nodeSize {
			end++
		}
		run := buf[start*size : end*size]
		if block.ReadFull(f.r, run, sorted[start].offset()) != nil {
			clear(run)
		}
		start = end
	}
}

// readCopies reads every copy of a block until one verifies, as the kernel
// does. The error is the first copy's.
func (f *forest) readCopies(b *placed) error {
	var first error
	for i := range b.chunk.copies {
		err := f.readCopy(b, b.chunk.physical(b.logical, i))
		if err == nil {
			return nil
		}
		first = cmp.Or(first, err)
	}
	return first
}

func (f *forest) readCopy(b *placed, off int64) error {
	if err := block.ReadFull(f.r, b.slot, off); err != nil {
		return err
	}
	if err := f.verify(b); err != nil {
		return damage(describe(b.ref), off, err.Error())
	}
	return nil
}

func (f *forest) verify(b *placed) error {
	if !f.sb.checksum.matches(b.slot) {
		return errors.New("wrong checksum")
	}
	return treeBlock(b.slot).check(b.ref, f.sb.treeUUID)
}

func describe(r ref) string {
	name := fmt.Sprintf("tree %d", int64(r.owner))
	switch r.owner {
	case rootTree:
		name = "root tree"
	case extentTree:
		name = "extent tree"
	case chunkTree:
		name = "chunk tree"
	case deviceTree:
		name = "device tree"
	case logTree:
		name = "log tree"
	}
	return fmt.Sprintf("%s block %d", name, r.logical)
}
