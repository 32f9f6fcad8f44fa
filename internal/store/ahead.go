package store

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Distant is implemented by a Backend that is far away, where one large Get costs
// less than several small ones. Of any other one nothing is fetched ahead.
type Distant interface {
	Distant() bool
}

// ErrUnavailable is what errors of a Backend are that has no object to give at the
// moment, whichever is asked for: no other place in the store is tried then.
var ErrUnavailable = errors.New("the store is out of reach")

const (
	// aheadMost is how many bytes a Reader fetches ahead; the rest it fetches as it
	// comes to it. A piece of a deploy has about 4 MiB before compression.
	aheadMost = 8 << 20
	// aheadGap is how much that nobody wants is fetched with what lies on both sides
	// of it: as much as a gigabit carries while a request is answered.
	aheadGap = 64 << 10
	// aheadFrame is the largest frame that is fetched ahead; written are half of that.
	aheadFrame = 1 << 20
	// edgesKept is how many frames that two Readers may want are kept, about 16 MiB.
	edgesKept = 48
)

// Ahead fetches the frames of chunks that Read is going to be asked for, in this
// order, by few large requests, and keeps them until the next call. What is not there
// any more is left for Read to find elsewhere.
func (r *Reader) Ahead(ctx context.Context, places []pack.Location) error {
	r.ahead = r.ahead[:0]
	if d, ok := r.store.backend.(Distant); !ok || !d.Distant() {
		return nil
	}
	frames := r.framesOf(places)
	if len(frames) == 0 {
		return nil
	}
	// The frame at either end may reach into what another Reader works on.
	first, own := r.shared.edges.claim(frames[0])
	defer first.publish(r, own)
	if !own {
		frames = frames[1:]
	}
	if len(frames) > 1 {
		last, own := r.shared.edges.claim(frames[len(frames)-1])
		defer last.publish(r, own)
		if !own {
			frames = frames[:len(frames)-1]
		}
	}
	return r.fetch(ctx, frames)
}

// framesOf lists the frames of places once each, as far as they fit.
func (r *Reader) framesOf(places []pack.Location) (frames []pack.Location) {
	total := int64(0)
	for _, at := range places {
		n := len(frames)
		if !at.Possible() || n > 0 && frames[n-1].SameFrame(at) || n == 0 && r.frame.Plain > 0 && r.frame.SameFrame(at) {
			continue
		}
		if total += int64(at.Stored); total > aheadMost || at.Stored > aheadFrame {
			break
		}
		frames = append(frames, at)
	}
	return frames
}

// stretch is a part of a pack in memory.
type stretch struct {
	pack chunk.ID
	off  uint32
	data []byte
}

// fetch gets frames, joining those of a pack that lie next to each other.
func (r *Reader) fetch(ctx context.Context, frames []pack.Location) error {
	used := 0
	for len(frames) > 0 {
		n, end := 1, uint64(frames[0].Offset)+uint64(frames[0].Stored)
		for n < len(frames) && frames[n].Pack == frames[0].Pack && near(uint64(frames[n].Offset), end) {
			end = uint64(frames[n].Offset) + uint64(frames[n].Stored)
			n++
		}
		size := int(end - uint64(frames[0].Offset))
		if used > 0 && used+size > aheadMost+aheadMost/2 {
			return nil // there is too much between them
		}
		r.aheadMemory = grow(r.aheadMemory, max(used+size, aheadStart)) // it may move: what lies in it already keeps its old memory
		data := r.aheadMemory[used : used+size : used+size]
		err := r.store.backend.Get(ctx, prefixPacks+frames[0].Pack.String(), data, int64(frames[0].Offset))
		switch {
		case err == nil:
			r.ahead = append(r.ahead, stretch{frames[0].Pack, frames[0].Offset, data})
			used += size
		case ctx.Err() != nil, errors.Is(err, ErrUnavailable):
			return err
		}
		frames = frames[n:]
	}
	return nil
}

// near reports whether a frame at off is fetched with one that ends at end.
func near(off, end uint64) bool { return off >= end && off-end <= aheadGap }

// aheadStart is what is allocated at least, so that buffers do not grow often.
const aheadStart = 2 << 20

// fetched returns the stored bytes of a frame when they were fetched ahead, by this
// Reader or by another one.
func (r *Reader) fetched(ctx context.Context, at pack.Location) []byte {
	if data := r.inStretch(at); data != nil {
		return data
	}
	return r.shared.edges.wait(ctx, at)
}

func (r *Reader) inStretch(at pack.Location) []byte {
	for _, s := range r.ahead {
		if s.pack == at.Pack && s.off <= at.Offset && uint64(at.Offset)+uint64(at.Stored) <= uint64(s.off)+uint64(len(s.data)) {
			return s.data[at.Offset-s.off:][:at.Stored]
		}
	}
	return nil
}

// edges are frames that one Reader fetches and another one is going to want: pieces
// of a disk do not end where frames do.
type edges struct {
	mu    sync.Mutex
	known map[frameKey]*edge
	order []frameKey // oldest first
}

type frameKey struct {
	pack   chunk.ID
	offset uint32
	stored uint32
}

// edge is one such frame.
type edge struct {
	at   pack.Location
	done chan struct{}
	data []byte // once done is closed; nil when it could not be fetched
}

func keyOf(at pack.Location) frameKey { return frameKey{at.Pack, at.Offset, at.Stored} }

// claim returns the edge of that frame, and whether the caller is the one to fetch it.
func (e *edges) claim(at pack.Location) (*edge, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if known := e.known[keyOf(at)]; known != nil {
		return known, false
	}
	if e.known == nil {
		e.known = map[frameKey]*edge{}
	}
	if len(e.order) == edgesKept {
		delete(e.known, e.order[0])
		e.order = e.order[1:]
	}
	made := &edge{at: at, done: make(chan struct{})}
	e.known[keyOf(at)] = made
	e.order = append(e.order, keyOf(at))
	return made, true
}

// publish gives others what its owner has fetched.
func (e *edge) publish(r *Reader, own bool) {
	if !own {
		return
	}
	e.data = bytes.Clone(r.inStretch(e.at))
	close(e.done)
}

// wait returns the bytes of a frame that somebody fetches; nil when nobody does, or
// in vain.
func (e *edges) wait(ctx context.Context, at pack.Location) []byte {
	e.mu.Lock()
	known := e.known[keyOf(at)]
	e.mu.Unlock()
	if known == nil {
		return nil
	}
	select {
	case <-known.done:
		return known.data
	case <-ctx.Done():
		return nil
	}
}
