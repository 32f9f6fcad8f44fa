package btrfs

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"
)

// walk visits the part of a tree between two keys, in the order of the keys.
//
// Its cost is bounded by the blocks there are: keys must rise from leaf to leaf,
// so no leaf is visited twice, and every other block leads to a leaf.
type walk struct {
	forest      *forest
	first, last key
	item        func(key, []byte) error // the bytes are valid during the call
	block       func(ref) error         // called for every block; may be nil

	previous key // the item visited last
	started  bool
}

// items visits the items of the tree under root with first <= key <= last.
func (f *forest) items(ctx context.Context, root ref, first, last key, visit func(key, []byte) error) error {
	w := walk{forest: f, first: first, last: last, item: visit}
	return w.blocks(ctx, []ref{root})
}

func (w *walk) blocks(ctx context.Context, refs []ref) error {
	for batch := range slices.Chunk(refs, int(batchBytes/w.forest.sb.nodeSize)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		loaded, err := w.forest.load(batch)
		if err != nil {
			return err
		}
		for i, b := range loaded {
			if err := w.visit(ctx, batch[i], b); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *walk) visit(ctx context.Context, r ref, b treeBlock) error {
	if w.block != nil {
		if err := w.block(r); err != nil {
			return err
		}
	}
	if r.level == 0 {
		return w.leaf(r, b)
	}
	return w.blocks(ctx, w.children(r, b))
}

// children are those that can hold keys of the wanted part.
func (w *walk) children(r ref, b treeBlock) []ref {
	n := b.count()
	out := make([]ref, 0, n)
	for i := range n {
		endsBefore := i+1 < n && b.childKey(i+1).compare(w.first) <= 0
		if endsBefore || b.childKey(i).compare(w.last) > 0 {
			continue
		}
		out = append(out, b.child(i, r))
	}
	return out
}

func (w *walk) leaf(r ref, b treeBlock) error {
	for i := range b.count() {
		k := b.leafKey(i)
		if w.started && k.compare(w.previous) <= 0 {
			return damage(describe(r), -1, fmt.Sprintf("key %v does not follow %v", k, w.previous))
		}
		w.previous, w.started = k, true
		if k.compare(w.first) < 0 || k.compare(w.last) > 0 {
			continue
		}
		if err := w.item(k, b.item(i)); err != nil {
			return err
		}
	}
	return nil
}

// findTree looks a tree up in the tree of tree roots.
func (f *forest) findTree(ctx context.Context, id uint64) (ref, error) {
	found := ref{}
	err := f.items(ctx, f.sb.root, key{id, rootItem, 0}, key{id, rootItem, 0}, func(k key, item []byte) error {
		var err error
		found, err = decodeRoot(id, item)
		return err
	})
	if err == nil && !found.root {
		err = damage("root tree", -1, fmt.Sprintf("has no root of tree %d", int64(id)))
	}
	return found, err
}

// decodeRoot reads struct btrfs_root_item; old ones end at byte 239.
func decodeRoot(owner uint64, p []byte) (ref, error) {
	if len(p) < 239 || int(p[238]) > maxLevel {
		return ref{}, damage("root tree", -1, fmt.Sprintf("root item of tree %d: %d bytes", int64(owner), len(p)))
	}
	return ref{
		logical:    int64(binary.LittleEndian.Uint64(p[176:])),
		generation: binary.LittleEndian.Uint64(p[160:]),
		owner:      owner,
		level:      int(p[238]),
		root:       true,
	}, nil
}
