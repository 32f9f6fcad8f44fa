package store

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// Place is where a chunk lies or will lie.
type Place struct {
	loc  pack.Location // without its Pack while pack is not nil
	pack *openPack
}

// Location returns where the chunk lies; false while its pack is not stored yet.
func (p *Place) Location() (pack.Location, bool) {
	if p.pack == nil {
		return p.loc, true
	}
	if !p.pack.stored.Load() {
		return pack.Location{}, false
	}
	loc := p.loc
	loc.Pack = p.pack.id
	return loc, true
}

// openPack is one that is being filled or stored.
type openPack struct {
	pack.Builder
	whole  []byte       // instead of a Builder: a pack that another store made
	frames []pack.Frame // of whole
	epoch  int64
	id     chunk.ID    // valid when stored is set
	stored atomic.Bool // set once the pack is durable; orders the Places in it
}

// finish returns the pack and its table of contents.
func (p *openPack) finish() ([]byte, []pack.Frame) {
	if p.whole != nil {
		return p.whole, p.frames
	}
	return p.Finish(), p.Frames()
}

// Writer puts chunks into packs for one goroutine, in the order of its calls.
type Writer struct {
	session *Session
	enc     *pack.Encoder
	pack    *openPack

	plain  []byte // of the open frame
	chunks []pack.Chunk
	places []*Place // of the open frame's chunks
}

// NewWriter returns a Writer, which must be closed for its last chunks to count.
func (ses *Session) NewWriter() (*Writer, error) {
	enc, err := pack.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &Writer{session: ses, enc: enc, plain: make([]byte, 0, pack.FramePlain+ses.store.config.Chunks.Max)}, nil
}

// Put stores a chunk, or finds that the store has it. data is not kept. fresh
// tells whether the bytes are new to the store.
func (w *Writer) Put(ctx context.Context, data []byte) (id chunk.ID, at *Place, fresh bool, err error) {
	ses := w.session
	if err := ses.err(); err != nil {
		return chunk.ID{}, nil, false, err
	}
	id = ses.store.Hash().Sum(data)
	at, err = ses.find(id)
	if err != nil {
		return chunk.ID{}, nil, false, fmt.Errorf("look up chunk %s: %w", id.Short(), err)
	}
	if at != nil {
		ses.Stats.Reused.Add(int64(len(data)))
		return id, at, false, nil
	}
	at, fresh, err = w.claim(ctx, id, data)
	return id, at, fresh, err
}

// claim adds the chunk to the open frame, unless another Writer was faster.
func (w *Writer) claim(ctx context.Context, id chunk.ID, data []byte) (*Place, bool, error) {
	ses := w.session
	if err := w.makeRoom(ctx, len(data)); err != nil {
		return nil, false, err
	}
	at := &Place{pack: w.pack, loc: pack.Location{Inside: uint32(len(w.plain)), Length: uint32(len(data))}}
	ses.mu.Lock()
	if other := ses.fresh[id]; other != nil {
		ses.mu.Unlock()
		ses.Stats.Reused.Add(int64(len(data)))
		return other, false, nil
	}
	ses.fresh[id] = at
	ses.mu.Unlock()
	w.chunks = append(w.chunks, pack.Chunk{ID: id, Offset: at.loc.Inside, Length: at.loc.Length})
	w.places = append(w.places, at)
	w.plain = append(w.plain, data...)
	ses.Stats.Plain.Add(int64(len(data)))
	return at, true, nil
}

// makeRoom closes the frame when n more bytes would overfill it, the pack when
// it is full or was asked for, and opens a pack where there is none.
func (w *Writer) makeRoom(ctx context.Context, n int) error {
	if len(w.plain) > 0 && len(w.plain)+n > pack.FramePlain {
		w.closeFrame()
	}
	if w.pack != nil && (w.pack.Size() >= pack.Target || w.pack.epoch != w.session.epoch.Load()) {
		if err := w.closePack(ctx); err != nil {
			return err
		}
	}
	if w.pack != nil {
		return nil
	}
	w.pack = &openPack{epoch: w.session.epoch.Load()}
	var memory []byte
	select {
	case memory = <-w.session.buffers:
	default:
		memory = make([]byte, 0, pack.Target+2*pack.FramePlain)
	}
	w.pack.Reset(w.session.store.Hash(), memory)
	return nil
}

// closeFrame compresses the open frame into the pack.
func (w *Writer) closeFrame() {
	if len(w.plain) == 0 {
		return
	}
	f := w.pack.AddFrame(w.enc, w.plain, slices.Clone(w.chunks))
	for _, p := range w.places {
		p.loc.Offset, p.loc.Stored, p.loc.Plain, p.loc.Codec = f.Offset, f.Stored, f.Plain, f.Codec
	}
	w.plain, w.chunks, w.places = w.plain[:0], w.chunks[:0], w.places[:0]
}

// closePack hands the pack over to be stored.
func (w *Writer) closePack(ctx context.Context) error {
	w.closeFrame()
	if w.pack == nil || w.pack.Chunks() == 0 {
		return nil
	}
	p := w.pack
	w.pack = nil
	return w.session.handOver(ctx, p)
}

// SealIfAsked closes the pack when Session.SealSoon was called since it was
// opened. A Writer that may not Put for a while calls it now and then.
func (w *Writer) SealIfAsked(ctx context.Context) error {
	if w.pack == nil || w.pack.epoch == w.session.epoch.Load() {
		return nil
	}
	return w.closePack(ctx)
}

// Close hands over what is left.
func (w *Writer) Close(ctx context.Context) error { return w.closePack(ctx) }
