package btrfs

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// maxLogged bounds what is held of log trees. They live for one commit interval,
// half a minute, so real ones are far smaller.
const maxLogged = 1 << 18

// fileExtentSize is the size of struct btrfs_file_extent_item, but for inline ones.
const fileExtentSize = 53

// logged returns the logical ranges that only the log trees know: their own
// blocks and the data that they point to. The extent tree learns of them in a
// replay.
func (f *forest) logged(ctx context.Context) (extent.List, error) {
	var found []extent.Extent
	add := func(start, length int64) error {
		if len(found) == maxLogged {
			return damage("log tree", -1, fmt.Sprintf("more than %d extents", maxLogged))
		}
		found = append(found, extent.Extent{Start: start, Length: length})
		return f.checkExtent(start, length)
	}
	addBlock := func(r ref) error { return add(r.logical, f.sb.nodeSize) }

	var logs []ref
	roots := walk{forest: f, first: firstKey, last: lastKey, block: addBlock, item: func(k key, item []byte) error {
		if k.kind != rootItem {
			return nil
		}
		log, err := decodeRoot(logTree, item)
		logs = append(logs, log)
		return err
	}}
	if err := roots.blocks(ctx, []ref{f.sb.logRoot}); err != nil {
		return nil, err
	}
	for _, log := range logs {
		files := walk{forest: f, first: firstKey, last: lastKey, block: addBlock, item: func(k key, item []byte) error {
			start, length := fileExtent(k, item)
			if length == 0 {
				return nil
			}
			return add(start, length)
		}}
		if err := files.blocks(ctx, []ref{log}); err != nil {
			return nil, err
		}
	}
	return extent.Of(found...), nil
}

// fileExtent returns the logical range that an item of a log tree refers to;
// length 0 when it refers to none: other items, inline data, holes.
func fileExtent(k key, item []byte) (start, length int64) {
	const inline = 0
	if k.kind != fileExtentItem || len(item) < fileExtentSize || item[20] == inline {
		return 0, 0
	}
	start = int64(binary.LittleEndian.Uint64(item[21:]))
	if start == 0 {
		return 0, 0
	}
	return start, int64(binary.LittleEndian.Uint64(item[29:]))
}
