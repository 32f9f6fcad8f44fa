package store

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Readers makes the Readers of one piece of work. They share what one of them
// learns of chunks that are not where a map says: tables that are large in a
// large store.
type Readers struct {
	store *Store

	mu     sync.Mutex
	finder *finder           // made when a map's place turns out stale
	gone   map[chunk.ID]bool // packs that were not there any more when finder was made

	edges edges
}

// NewReaders returns Readers that know nothing yet.
func (s *Store) NewReaders() *Readers { return &Readers{store: s, gone: map[chunk.ID]bool{}} }

// Reader fetches chunks for one goroutine. It keeps the frame it unpacked last,
// so chunks should be asked for in the order in which they lie on the disk.
type Reader struct {
	store  *Store
	shared *Readers
	dec    *pack.Decoder

	frame  pack.Location // whose plain bytes are in plain; Plain is 0 when there are none
	plain  []byte
	stored []byte

	ahead       []stretch // what Ahead has fetched, in the order of its requests
	aheadMemory []byte
}

// NewReader returns a Reader by itself, which must be closed.
func (s *Store) NewReader() (*Reader, error) { return s.NewReaders().NewReader() }

// NewReader returns a Reader, which must be closed.
func (rs *Readers) NewReader() (*Reader, error) {
	dec, err := pack.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Reader{store: rs.store, shared: rs, dec: dec}, nil
}

// Close releases the Reader's memory.
func (r *Reader) Close() { r.dec.Close() }

// Read fills dst, which has the chunk's length, with the chunk id. at is where a
// map says it lies; when it is not there, intact, any other place in the store
// is tried. The error is a *ChunkError when no place has it.
func (r *Reader) Read(ctx context.Context, id chunk.ID, at pack.Location, dst []byte) error {
	err := r.ReadAt(ctx, id, at, dst)
	tried := []chunk.ID{at.Pack}
	for last := err; last != nil; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if errors.Is(last, ErrUnavailable) {
			return last
		}
		places, ferr := r.shared.places(ctx, at.Pack, last)
		if ferr != nil {
			return ferr
		}
		other, ok, ferr := places.find(id, tried...)
		if ferr != nil {
			return ferr
		}
		if !ok {
			return &ChunkError{id, err}
		}
		at, tried = other, append(tried, other.Pack)
		last = r.ReadAt(ctx, id, at, dst)
	}
	return nil
}

// places returns a finder: a new one when there is none, or only one from before
// a clean-up deleted the pack, as err says.
func (rs *Readers) places(ctx context.Context, pack chunk.ID, err error) (*finder, error) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	deleted := errors.Is(err, ErrNotFound)
	if rs.finder != nil && (rs.gone[pack] || !deleted) {
		return rs.finder, nil
	}
	f, _, err := rs.store.newFinder(ctx, func(chunk.ID) bool { return false })
	if err != nil {
		return nil, err
	}
	rs.finder = f
	if deleted {
		rs.gone[pack] = true
	}
	return f, nil
}

// ReadAt fills dst, which has the chunk's length, with the chunk from one place
// alone, and checks it.
func (r *Reader) ReadAt(ctx context.Context, id chunk.ID, at pack.Location, dst []byte) error {
	if !at.Possible() || int(at.Length) != len(dst) {
		return &IntegrityError{prefixPacks + at.Pack.String(), int64(at.Offset), fmt.Sprintf("chunk of %d bytes cannot lie at %+v", len(dst), at)}
	}
	if r.frame.Plain == 0 || !r.frame.SameFrame(at) {
		if err := r.load(ctx, at); err != nil {
			return err
		}
	}
	if uint64(at.Inside)+uint64(at.Length) > uint64(len(r.plain)) {
		return &IntegrityError{prefixPacks + at.Pack.String(), int64(at.Offset), "frame is shorter than the chunk in it"}
	}
	data := r.plain[at.Inside : at.Inside+at.Length]
	if got := r.store.Hash().Sum(data); got != id {
		return &IntegrityError{prefixPacks + at.Pack.String(), int64(at.Offset), fmt.Sprintf("chunk hashes to %s, not to %s", got.Short(), id.Short())}
	}
	copy(dst, data)
	return nil
}

// load unpacks the frame that at lies in.
func (r *Reader) load(ctx context.Context, at pack.Location) error {
	r.frame = pack.Location{}
	key := prefixPacks + at.Pack.String()
	stored := r.fetched(ctx, at)
	switch {
	case stored == nil:
		r.stored = grow(r.stored, int(at.Stored))
		stored = r.stored
		err := r.store.backend.Get(ctx, key, stored, int64(at.Offset))
		if errors.Is(err, ErrShort) {
			return &IntegrityError{key, int64(at.Offset), "ends before the frame does"}
		}
		if err != nil {
			return err
		}
	case at.Codec == pack.Stored:
		r.stored = append(r.stored[:0], stored...) // plain must stay when Ahead uses its memory anew
		stored = r.stored
	}
	plain, err := r.dec.Decode(r.plain, stored, at.Codec, at.Plain)
	if err != nil {
		return &IntegrityError{key, int64(at.Offset), err.Error()}
	}
	if at.Codec == pack.Stored {
		r.stored = r.plain // plain is the memory that was read into; the other one is free now
	}
	r.plain, r.frame = plain, at
	return nil
}

// grow returns a slice of n bytes, in b's memory where that is large enough.
func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/4)
	}
	return b[:n]
}
