package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Reader fetches chunks for one goroutine. It keeps the frame it unpacked last,
// so chunks should be asked for in the order in which they lie on the disk.
type Reader struct {
	store  *Store
	dec    *pack.Decoder
	finder *finder // made when a map's place turns out stale

	frame  pack.Location // whose plain bytes are in plain; Plain is 0 when there are none
	plain  []byte
	stored []byte
}

// NewReader returns a Reader, which must be closed.
func (s *Store) NewReader() (*Reader, error) {
	dec, err := pack.NewDecoder()
	if err != nil {
		return nil, err
	}
	return &Reader{store: s, dec: dec}, nil
}

// Close releases the Reader's memory.
func (r *Reader) Close() { r.dec.Close() }

// Read fills dst, which has the chunk's length, with the chunk id. at is where a
// map says it lies; when it is not there, intact, any other place in the store
// is tried. The error is a *ChunkError when no place has it.
func (r *Reader) Read(ctx context.Context, id chunk.ID, at pack.Location, dst []byte) error {
	err := r.readAt(ctx, id, at, dst)
	if err == nil || ctx.Err() != nil {
		return err
	}
	tried := []chunk.ID{at.Pack}
	for {
		other, ok, ferr := r.elsewhere(ctx, id, tried)
		if ferr != nil {
			return ferr
		}
		if !ok {
			return &ChunkError{id, err}
		}
		if r.readAt(ctx, id, other, dst) == nil {
			return nil
		}
		tried = append(tried, other.Pack)
	}
}

func (r *Reader) elsewhere(ctx context.Context, id chunk.ID, tried []chunk.ID) (pack.Location, bool, error) {
	if r.finder == nil {
		f, _, err := r.store.newFinder(ctx, func(chunk.ID) bool { return false })
		if err != nil {
			return pack.Location{}, false, err
		}
		r.finder = f
	}
	return r.finder.find(id, tried...)
}

// readAt reads the chunk from one place and checks it.
func (r *Reader) readAt(ctx context.Context, id chunk.ID, at pack.Location, dst []byte) error {
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
	r.stored = grow(r.stored, int(at.Stored))
	key := prefixPacks + at.Pack.String()
	err := r.store.backend.Get(ctx, key, r.stored, int64(at.Offset))
	if errors.Is(err, ErrShort) {
		return &IntegrityError{key, int64(at.Offset), "ends before the frame does"}
	}
	if err != nil {
		return err
	}
	plain, err := r.dec.Decode(r.plain, r.stored, at.Codec, at.Plain)
	if err != nil {
		return &IntegrityError{key, int64(at.Offset), err.Error()}
	}
	if at.Codec == pack.Stored {
		plain = append(r.plain[:0], plain...)
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
