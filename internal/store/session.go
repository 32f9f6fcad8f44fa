package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// indexFlush is how many new chunks are kept in memory before they go to an
// index object: about 25 MiB.
const indexFlush = 128 << 10

// Session is one writer's work on a store: a capture, a copy, a repack. Its
// methods may be called by several goroutines.
type Session struct {
	store     *Store
	finder    *finder
	condemned map[string]bool
	damaged   []error
	tenure    *tenure

	mu    sync.Mutex
	fresh map[chunk.ID]*Place // chunks put by this session that are in no index yet

	uploads  chan *openPack
	endQueue func()      // closes uploads, once
	buffers  chan []byte // memory of stored packs, to be used again
	uploaded chan struct{}
	epoch    atomic.Int64
	failed   atomic.Pointer[error]
	done     chan struct{} // closed when failed is set

	// Of packs that are stored and in no index yet; they belong to the uploader.
	unindexed []indexEntry
	packs     []foundPack

	Stats Stats
}

// Stats counts what a session did; read it while it runs or after.
type Stats struct {
	Packs  atomic.Int64 // packs stored
	Stored atomic.Int64 // bytes of these packs
	Plain  atomic.Int64 // plain bytes of new chunks
	Reused atomic.Int64 // plain bytes of chunks that were there
}

// Begin starts a session; doing says what for, for people ("capture of /dev/sda").
// The session ends with Close, also after Publish.
func (s *Store) Begin(ctx context.Context, doing string) (*Session, error) {
	return s.BeginWithout(ctx, doing, nil)
}

// BeginWithout is Begin for a session that does not find what is in the given
// packs: one that moves chunks out of them.
func (s *Store) BeginWithout(ctx context.Context, doing string, packs []chunk.ID) (*Session, error) {
	tenure, err := s.hold(ctx, s.newLease(doing))
	if err != nil {
		return nil, fmt.Errorf("begin %s: %w", doing, err)
	}
	ses := &Session{
		store: s, tenure: tenure, fresh: map[chunk.ID]*Place{},
		uploads: make(chan *openPack, 1), buffers: make(chan []byte, 8), uploaded: make(chan struct{}), done: make(chan struct{}),
	}
	ses.endQueue = sync.OnceFunc(func() { close(ses.uploads) })
	if err := ses.prepare(ctx, packs); err != nil {
		return nil, errors.Join(fmt.Errorf("begin %s: %w", doing, err), tenure.end(ctx))
	}
	tenure.beat(ctx, ses.fail)
	go ses.upload(context.WithoutCancel(ctx))
	return ses, nil
}

// prepare reads the condemnations, says so, and only then looks what there is.
func (ses *Session) prepare(ctx context.Context, without []chunk.ID) error {
	condemned, err := ses.store.Condemned(ctx)
	if err != nil {
		return err
	}
	ses.condemned = keySet(condemned)
	if err := ses.tenure.know(ctx, known(condemned)); err != nil {
		return err
	}
	passed := map[chunk.ID]bool{}
	for _, id := range without {
		passed[id] = true
	}
	ses.finder, ses.damaged, err = ses.store.newFinder(ctx, func(id chunk.ID) bool {
		return passed[id] || ses.condemned[prefixPacks+id.String()]
	})
	return err
}

// Damaged returns the index objects that could not be used. Nothing is lost by
// it but the space for what is stored again.
func (ses *Session) Damaged() []error { return ses.damaged }

// fail records the first error; every later call of the session returns it.
func (ses *Session) fail(err error) {
	if ses.failed.CompareAndSwap(nil, &err) {
		close(ses.done)
	}
}

func (ses *Session) err() error {
	if p := ses.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// find returns where the store, or this session, has the chunk; nil when it has not.
func (ses *Session) find(id chunk.ID) (*Place, error) {
	ses.mu.Lock()
	p := ses.fresh[id]
	ses.mu.Unlock()
	if p != nil {
		return p, nil
	}
	loc, ok, err := ses.finder.find(id)
	if !ok || err != nil {
		return nil, err
	}
	return &Place{loc: loc}, nil
}

// SealSoon asks every Writer to close the pack it is filling, so that places in
// it become known.
func (ses *Session) SealSoon() { ses.epoch.Add(1) }

// PutMap stores the bytes of a map and returns their name. Every place the map
// names must be known already. vary changes bytes that mean nothing and returns
// the result; it is used when an equal map is condemned to be deleted.
func (ses *Session) PutMap(ctx context.Context, data []byte, vary func(nonce uint32) []byte) (chunk.ID, error) {
	if err := ses.err(); err != nil {
		return chunk.ID{}, err
	}
	for nonce := uint32(1); ses.condemned[prefixMaps+ses.store.Hash().Sum(data).String()]; nonce++ {
		data = vary(nonce)
	}
	return putNamed(ctx, ses.store.backend, ses.store.Hash(), prefixMaps, data)
}

// Sync returns when every pack that was handed over is stored and indexed. All
// Writers must be closed; no new one may be made.
func (ses *Session) Sync(ctx context.Context) error {
	ses.endQueue()
	select {
	case <-ses.uploaded:
	case <-ctx.Done():
		return ctx.Err()
	}
	return ses.err()
}

// Publish stores the manifest and puts a name to it: the moment from which the
// image exists. It follows Sync. put is called to put the name; it must not
// overwrite one. When the lease was lost meanwhile, the name is taken back.
func (ses *Session) Publish(ctx context.Context, manifest []byte, put func(image chunk.ID) (key string, err error)) (chunk.ID, error) {
	if err := ses.err(); err != nil {
		return chunk.ID{}, err
	}
	if key := prefixManifests + ses.store.Hash().Sum(manifest).String(); ses.condemned[key] {
		return chunk.ID{}, &CondemnedError{key}
	}
	id, err := putNamed(ctx, ses.store.backend, ses.store.Hash(), prefixManifests, manifest)
	if err != nil {
		return chunk.ID{}, fmt.Errorf("store manifest: %w", err)
	}
	return id, ses.Name(ctx, id, put)
}

// Name puts a name to an image that the store holds, as Publish does. Nothing of
// the image may be condemned.
func (ses *Session) Name(ctx context.Context, id chunk.ID, put func(image chunk.ID) (key string, err error)) error {
	if err := ses.tenure.held(ctx); err != nil {
		return err
	}
	key, err := put(id)
	if err != nil {
		return err
	}
	if err := ses.tenure.held(ctx); err != nil {
		return errors.Join(err, ses.store.backend.Delete(context.WithoutCancel(ctx), key))
	}
	return nil
}

// Close ends the session and gives its lease up; no Writer may be in use any
// more. What it stored and nobody refers to is found by the next session, so
// that an interrupted capture is not all lost, or by a clean-up.
func (ses *Session) Close(ctx context.Context) error {
	ses.fail(errors.New("session is closed"))
	ses.endQueue()
	<-ses.uploaded
	return ses.tenure.end(ctx)
}
