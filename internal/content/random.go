package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sort"
	"sync"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Opener is implemented by a Source whose regions can be read at any place. What
// no map covers reads as zeros.
type Opener interface {
	// Open returns a region's bytes; the Reader must be closed.
	Open(ctx context.Context, region int) (Random, error)
}

// RandomSource is a Source whose regions can be read at any place.
type RandomSource interface {
	Source
	Opener
}

// Random is a region read at any place, by several goroutines.
type Random interface {
	block.Reader
	io.Closer
}

var (
	_ RandomSource = (*Stored)(nil)
	_ RandomSource = (*Live)(nil)
)

// Open implements Opener.
func (l *Live) Open(_ context.Context, region int) (Random, error) {
	return liveRandom{l.windows[region]}, nil
}

type liveRandom struct{ block.Reader }

func (liveRandom) Close() error { return nil }

// What a Random of an image keeps in memory: about 34 MiB of chunks, and the maps
// of the places where it was read last.
const (
	keptChunks    = 128
	keptSegments  = 4
	readersAtOnce = 4
)

// Open implements Opener.
func (s *Stored) Open(ctx context.Context, region int) (Random, error) {
	r := &storedRandom{of: s, ctx: ctx, region: region, places: make(chan struct{}, readersAtOnce)}
	r.segments.limit, r.chunks.limit = keptSegments, keptChunks
	for range readersAtOnce {
		f, err := s.Fetcher()
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.idle = append(r.idle, &idleFetcher{Fetcher: f})
	}
	return r, nil
}

type storedRandom struct {
	of     *Stored
	ctx    context.Context // of everything read through it
	region int
	places chan struct{} // as many as there are fetchers; who has put one in may take one

	mu       sync.Mutex
	idle     []*idleFetcher                // the one used last comes last
	segments recent[int64, *image.Segment] // by start
	chunks   recent[chunk.ID, []byte]
}

// idleFetcher is a Fetcher with the place that it read last: it still has that frame.
type idleFetcher struct {
	Fetcher
	last pack.Location
}

// Close implements io.Closer. Nobody may be reading.
func (r *storedRandom) Close() error {
	for _, f := range r.idle {
		f.Close()
	}
	return nil
}

// fetch fetches an entry by the fetcher that has its frame unpacked, if one has, so
// that who reads on from where it was unpacks, and transfers, nothing twice.
func (r *storedRandom) fetch(e image.Entry, dst []byte) error {
	r.places <- struct{}{}
	defer func() { <-r.places }()
	r.mu.Lock()
	i := slices.IndexFunc(r.idle, func(f *idleFetcher) bool { return f.last.SameFrame(e.At) })
	if i < 0 {
		i = len(r.idle) - 1
	}
	f := r.idle[i]
	r.idle = slices.Delete(r.idle, i, i+1)
	r.mu.Unlock()

	err := f.Fetch(r.ctx, r.region, e, dst)
	f.last = e.At
	r.mu.Lock()
	r.idle = append(r.idle, f)
	r.mu.Unlock()
	return err
}

// Size implements block.Reader.
func (r *storedRandom) Size() int64 { return r.of.manifest.Regions[r.region].Size }

// ReadAt implements block.Reader.
func (r *storedRandom) ReadAt(p []byte, off int64) (int, error) {
	size := r.Size()
	if off < 0 || off >= size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), size-off))
	for done := 0; done < n; {
		did, err := r.readSome(p[done:n], off+int64(done))
		if err != nil {
			return done, fmt.Errorf("read %s at %#x: %w", r.of.manifest.Regions[r.region].Title(), off+int64(done), err)
		}
		done += did
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readSome reads up to the end of the entry, or of the space between entries, in
// which off lies.
func (r *storedRandom) readSome(p []byte, off int64) (int, error) {
	segment, end, err := r.segment(off)
	if err != nil {
		return 0, err
	}
	i := sort.Search(len(segment.Entries), func(i int) bool { return segment.Entries[i].Offset+segment.Entries[i].Length > off })
	if i < len(segment.Entries) {
		e := segment.Entries[i]
		if e.Offset <= off && !e.Zero {
			return r.copyChunk(p, e, off-e.Offset)
		}
		end = min(end, e.Offset)
		if e.Offset <= off {
			end = e.Offset + e.Length
		}
	}
	n := int(min(int64(len(p)), end-off))
	clear(p[:n])
	return n, nil
}

// segment returns the map around off, empty where there is none, and where it ends.
func (r *storedRandom) segment(off int64) (*image.Segment, int64, error) {
	start := off / image.SegmentSpan * image.SegmentSpan
	r.mu.Lock()
	defer r.mu.Unlock()
	if s, ok := r.segments.get(start); ok {
		return s, start + image.SegmentSpan, nil
	}
	s, err := r.of.Segment(r.ctx, r.region, start)
	if err != nil {
		return nil, 0, err
	}
	r.segments.put(start, s)
	return s, start + image.SegmentSpan, nil
}

func (r *storedRandom) copyChunk(p []byte, e image.Entry, from int64) (int, error) {
	r.mu.Lock()
	data, ok := r.chunks.get(e.ID)
	r.mu.Unlock()
	if !ok {
		data = make([]byte, e.Length)
		if err := r.fetch(e, data); err != nil {
			return 0, err
		}
		r.mu.Lock()
		r.chunks.put(e.ID, data)
		r.mu.Unlock()
	}
	if from >= int64(len(data)) {
		return 0, fmt.Errorf("chunk %s has %d bytes and its map says %d", e.ID.Short(), len(data), e.Length)
	}
	return copy(p, data[from:]), nil
}

// recent keeps the values that were used last.
type recent[K comparable, V any] struct {
	limit int
	clock int
	kept  map[K]*kept[V]
}

type kept[V any] struct {
	value V
	used  int
}

func (c *recent[K, V]) get(key K) (V, bool) {
	k, ok := c.kept[key]
	if !ok {
		var none V
		return none, false
	}
	c.clock++
	k.used = c.clock
	return k.value, true
}

// put adds a value and drops the one that was used longest ago. A look at all of
// them costs nothing beside what it took to get the value.
func (c *recent[K, V]) put(key K, value V) {
	if c.kept == nil {
		c.kept = map[K]*kept[V]{}
	}
	if len(c.kept) >= c.limit {
		var oldest K
		least := c.clock + 1
		for k, v := range c.kept {
			if v.used < least {
				oldest, least = k, v.used
			}
		}
		delete(c.kept, oldest)
	}
	c.clock++
	c.kept[key] = &kept[V]{value, c.clock}
}
