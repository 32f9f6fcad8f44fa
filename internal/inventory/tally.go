package inventory

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// maxChunks bounds the chunks in memory, to about 100 MiB. Where maps may have
// more, only those are looked at whose IDs begin with enough zero bits; IDs are
// hashes, so that is a fair sample.
const maxChunks = 2 << 20

// entryBytes is about what a chunk takes in a map: its ID and some numbers.
const entryBytes = 40

// tally finds out what belongs to one image alone.
type tally struct {
	sizes    map[string]int64 // of maps, by key
	sample   uint64           // one chunk in so many is looked at, a power of two
	segments map[chunk.ID]stretch
	chunks   map[uint64]use // by 8 bytes of the ID

	unique, packed int64
	own            []int64 // by image
}

// use is a chunk with its owner.
type use struct {
	owner  owner
	plain  uint32
	stored uint32 // its share of its frame
}

func newTally(images int, sizes map[string]int64) *tally {
	t := &tally{sizes: sizes, sample: 1, segments: map[chunk.ID]stretch{}, chunks: map[uint64]use{}, own: make([]int64, images)}
	var bytes int64
	for _, n := range sizes {
		bytes += n
	}
	for bytes/entryBytes/int64(t.sample) > maxChunks {
		t.sample *= 2
	}
	return t
}

// claim notes that an image uses the maps of a region.
func (t *tally) claim(r *image.Region, by owner) {
	for _, ref := range r.Map {
		st, ok := t.segments[ref.ID]
		if !ok {
			st = stretch{r, ref, by}
		}
		st.owner = st.owner.join(by)
		t.segments[ref.ID] = st
	}
}

// readMaps reads every map once. unread are those that could not be.
func (t *tally) readMaps(ctx context.Context, s *store.Store, work *progress.Work) (unread, err error) {
	stage := work.Count("maps", "maps", int64(len(t.segments)))
	for id, st := range t.segments {
		segment, err := st.read(ctx, s)
		var damage *store.IntegrityError
		switch {
		case err == nil:
			t.count(segment, st.owner)
		case ctx.Err() == nil && (errors.As(err, &damage) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrShort)):
			unread = errors.Join(unread, err)
		default:
			return nil, err
		}
		if st.owner != shared {
			t.own[st.owner] += t.sizes["maps/"+id.String()]
		}
		stage.Add(1)
	}
	t.sum()
	return unread, nil
}

// count adds the chunks of a segment.
func (t *tally) count(segment *image.Segment, by owner) {
	for _, e := range segment.Entries {
		if e.Zero || binary.LittleEndian.Uint64(e.ID[:8])&(t.sample-1) != 0 {
			continue
		}
		key := binary.LittleEndian.Uint64(e.ID[8:])
		u, ok := t.chunks[key]
		if !ok {
			share := uint64(e.At.Stored) * uint64(e.At.Length) / uint64(e.At.Plain)
			u = use{by, e.At.Length, uint32(share)}
		}
		u.owner = u.owner.join(by)
		t.chunks[key] = u
	}
}

func (t *tally) sum() {
	scale := int64(t.sample)
	for _, u := range t.chunks {
		t.unique += int64(u.plain) * scale
		t.packed += int64(u.stored) * scale
		if u.owner != shared {
			t.own[u.owner] += int64(u.stored) * scale
		}
	}
}
