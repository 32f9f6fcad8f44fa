package btrfs

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
)

const (
	// bootArea is never allocated (BTRFS_DEVICE_RANGE_RESERVED). Its first
	// 64 KiB are for a boot loader, which GRUB makes use of.
	bootArea = 1 << 20
	// maxLogical bounds the logical list to 8 MiB, the map of it to 16 MiB.
	maxLogical = 1 << 19
)

// used returns the used map: what the extent tree lists, what a log tree adds,
// and what lies outside of all chunks.
func (f *forest) used(ctx context.Context) (extent.List, error) {
	logical, err := f.allocated(ctx)
	if err != nil {
		return nil, err
	}
	if f.sb.logRoot.logical != 0 {
		logged, err := f.logged(ctx)
		if err != nil {
			return nil, err
		}
		logical = logical.Union(logged)
	}
	return f.chunks.physical(logical).Union(outside(f.r.Size())), nil
}

// outside is the boot area and every copy of the superblock. The extent tree
// never lists them, though chunks may lie over the copies.
func outside(size int64) extent.List {
	list := extent.List{{Start: 0, Length: min(bootArea, size)}}
	for _, off := range superOffsets[1:] {
		if off+superSize <= size {
			list = append(list, extent.Extent{Start: off, Length: superSize})
		}
	}
	return list
}

// allocated returns the logical ranges that the extent tree lists. Their sum
// must be the superblock's: both change in the same commit.
func (f *forest) allocated(ctx context.Context) (extent.List, error) {
	root, err := f.findTree(ctx, extentTree)
	if err != nil {
		return nil, err
	}
	list := extent.Builder{Limit: maxLogical}
	end := int64(0)
	err = f.items(ctx, root, firstKey, lastKey, func(k key, _ []byte) error {
		length, ok := f.extentLength(k)
		if !ok {
			return nil
		}
		start := int64(k.object)
		if err := f.checkExtent(start, length); err != nil {
			return err
		}
		if start < end {
			return damage("extent tree", -1, fmt.Sprintf("extent %v overlaps the one before", k))
		}
		list.Add(start, length)
		end = start + length
		return nil
	})
	if err != nil {
		return nil, err
	}
	if n := list.Bytes(); n != f.sb.bytesUsed {
		return nil, damage("extent tree", -1, fmt.Sprintf("lists %d bytes, the superblock says %d", n, f.sb.bytesUsed))
	}
	return list.List(), nil
}

// extentLength is the length in bytes of the extent that an item of the extent
// tree stands for: struct btrfs_extent_item under EXTENT_ITEM has it in its key,
// and under METADATA_ITEM it is a tree block. Other items, block groups and back
// references, say nothing about space.
func (f *forest) extentLength(k key) (length int64, ok bool) {
	switch k.kind {
	case extentItem:
		return int64(k.offset), true
	case metadataItem:
		return f.sb.nodeSize, true
	}
	return 0, false
}

func (f *forest) checkExtent(start, length int64) error {
	if length <= 0 || (start|length)&(f.sb.sectorSize-1) != 0 {
		return damage(fmt.Sprintf("extent %d", uint64(start)), -1, fmt.Sprintf("length %d", uint64(length)))
	}
	if _, ok := f.chunks.find(start, length); !ok {
		return damage(fmt.Sprintf("extent %d", uint64(start)), -1, fmt.Sprintf("its %d bytes lie outside every chunk", length))
	}
	return nil
}
