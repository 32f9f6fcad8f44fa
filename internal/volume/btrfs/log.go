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
	l := logScan{forest: f}
	if err := l.walk(ctx, f.sb.logRoot, l.addLog); err != nil {
		return nil, err
	}
	for _, log := range l.logs {
		if err := l.walk(ctx, log, l.addFileExtent); err != nil {
			return nil, err
		}
	}
	return extent.Of(l.found...), nil
}

type logScan struct {
	forest *forest
	logs   []ref // the log tree of each subvolume
	found  []extent.Extent
}

// walk visits all of a tree and adds its blocks.
func (l *logScan) walk(ctx context.Context, root ref, item func(key, []byte) error) error {
	w := walk{forest: l.forest, first: firstKey, last: lastKey, item: item, block: func(r ref) error {
		return l.add(r.logical, l.forest.sb.nodeSize)
	}}
	return w.blocks(ctx, []ref{root})
}

func (l *logScan) add(start, length int64) error {
	if len(l.found) == maxLogged {
		return damage("log tree", -1, fmt.Sprintf("more than %d extents", maxLogged))
	}
	l.found = append(l.found, extent.Extent{Start: start, Length: length})
	return l.forest.checkExtent(start, length)
}

// addLog takes an item of the tree of log trees.
func (l *logScan) addLog(k key, item []byte) error {
	if k.kind != rootItem {
		return nil
	}
	if len(l.logs) == maxLogged {
		return damage("log tree", -1, fmt.Sprintf("more than %d logs", maxLogged))
	}
	log, err := decodeRoot(logTree, item)
	l.logs = append(l.logs, log)
	return err
}

// addFileExtent takes an item of a subvolume's log tree.
func (l *logScan) addFileExtent(k key, item []byte) error {
	start, length := fileExtent(k, item)
	if length == 0 {
		return nil
	}
	return l.add(start, length)
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
