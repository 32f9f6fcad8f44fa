package store

import (
	"container/heap"
	"context"
	"encoding/binary"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// mergeFan is how many runs of one level are merged into one of the next, so
// that a lookup asks at most 8 objects a level, and each record is rewritten
// once a level.
const mergeFan = 8

// runID names the result of a merge or a flush, so that runs can be counted.
func runID(id chunk.ID) uint64 { return binary.LittleEndian.Uint64(id[:]) }

// due returns the index files of the lowest level that has mergeFan runs or
// more, nil when none has.
func due(files []*indexFile) []*indexFile {
	levels := map[uint32]map[uint64]bool{}
	for _, f := range files {
		if levels[f.level] == nil {
			levels[f.level] = map[uint64]bool{}
		}
		levels[f.level][f.run] = true
	}
	for level := range uint32(len(files)) {
		if len(levels[level]) < mergeFan {
			continue
		}
		return slices.DeleteFunc(slices.Clone(files), func(f *indexFile) bool { return f.level != level })
	}
	return nil
}

// mergeIndexes writes the records of files, without doubles, as one run of the
// next level. keep says which records still point somewhere.
func mergeIndexes(ctx context.Context, files []*indexFile, keep func(indexEntry) bool, put func([]byte) error) error {
	h, err := openCursors(files)
	if err != nil {
		return err
	}
	level, run := files[0].level+1, files[0].run
	var out []indexEntry
	flush := func() error {
		if len(out) == 0 {
			return nil
		}
		err := put(encodeIndex(level, run, out))
		out = out[:0]
		return err
	}
	var last indexEntry
	for len(h) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		e := h[0].entry()
		if err := h.advance(); err != nil {
			return err
		}
		if e == last || !keep(e) {
			continue
		}
		out, last = append(out, e), e
		if len(out) == maxIndexRecords {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}

// cursor walks the records of one index file.
type cursor struct {
	file    *indexFile
	next    int    // page to read next
	records []byte // what is left of the current page
	buf     []byte
}

func (c *cursor) entry() indexEntry { return parseRecord(c.records) }

// fill reads pages until there is a record; false at the end.
func (c *cursor) fill() (bool, error) {
	for len(c.records) == 0 {
		if c.next == len(c.file.fences) {
			return false, nil
		}
		var err error
		if c.records, err = c.file.page(c.next, c.buf); err != nil {
			return false, err
		}
		c.next++
	}
	return true, nil
}

// cursors is a heap, lowest record first.
type cursors []*cursor

func openCursors(files []*indexFile) (cursors, error) {
	var h cursors
	for _, f := range files {
		c := &cursor{file: f, buf: make([]byte, indexPage)}
		ok, err := c.fill()
		if err != nil {
			return nil, err
		}
		if ok {
			h = append(h, c)
		}
	}
	heap.Init(&h)
	return h, nil
}

// advance moves the lowest cursor one record on.
func (h *cursors) advance() error {
	c := (*h)[0]
	c.records = c.records[indexRecord:]
	ok, err := c.fill()
	if err != nil {
		return err
	}
	if !ok {
		heap.Pop(h)
		return nil
	}
	heap.Fix(h, 0)
	return nil
}

func (h cursors) Len() int           { return len(h) }
func (h cursors) Less(i, j int) bool { return compareEntries(h[i].entry(), h[j].entry()) < 0 }
func (h cursors) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	last := old[len(old)-1]
	*h = old[:len(old)-1]
	return last
}
