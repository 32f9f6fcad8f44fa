package verify

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
)

// maxTOCChunks bounds the tables of contents in memory, to about 50 MiB. Maps
// lead to packs in disk order, so the ones used last are used next.
const maxTOCChunks = 1 << 20

// tocs keeps the tables of contents of the packs that were looked into last.
// The zero value is empty.
type tocs struct {
	kept   map[chunk.ID]*toc
	chunks int // in all that are kept
	clock  int
}

type toc struct {
	frames []pack.Frame
	chunks int
	used   int // clock of the last use
}

// get returns the table of contents of a pack.
func (t *tocs) get(ctx context.Context, s *store.Store, id chunk.ID, size int64) ([]pack.Frame, error) {
	t.clock++
	if have := t.kept[id]; have != nil {
		have.used = t.clock
		return have.frames, nil
	}
	frames, err := s.TOC(ctx, id, size)
	if err != nil {
		return nil, err
	}
	if t.kept == nil {
		t.kept = map[chunk.ID]*toc{}
	}
	n := &toc{frames: frames, used: t.clock}
	for _, f := range frames {
		n.chunks += len(f.Chunks)
	}
	for t.chunks+n.chunks > maxTOCChunks && len(t.kept) > 0 {
		t.dropOldest()
	}
	t.kept[id] = n
	t.chunks += n.chunks
	return frames, nil
}

func (t *tocs) dropOldest() {
	var oldest chunk.ID
	used := t.clock
	for id, have := range t.kept {
		if have.used < used {
			oldest, used = id, have.used
		}
	}
	t.chunks -= t.kept[oldest].chunks
	delete(t.kept, oldest)
}
