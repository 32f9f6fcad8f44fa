package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// upload stores packs until uploads is closed: one goroutine a session, so that
// waiting for the medium overlaps with the work on the next pack.
func (ses *Session) upload(ctx context.Context) {
	defer close(ses.uploaded)
	for p := range ses.uploads {
		if ses.err() != nil {
			continue // no more is stored than is already
		}
		if err := ses.storePack(ctx, p); err != nil {
			ses.fail(err)
		}
	}
	if err := ses.flushIndex(ctx); err != nil { // also after a failure: what is stored is worth finding
		ses.fail(err)
	}
	if m, ok := ses.store.backend.(IndexMerger); ses.err() != nil || ok && m.MergesIndexes() {
		return
	}
	if err := ses.store.MergeIndexes(ctx); err != nil {
		ses.fail(err)
	}
}

// storePack makes one pack durable, then its places known.
func (ses *Session) storePack(ctx context.Context, p *openPack) error {
	data, frames := p.finish()
	hash := ses.store.Hash()
	for nonce := uint32(1); ses.condemned[prefixPacks+hash.Sum(data).String()]; nonce++ {
		binary.LittleEndian.PutUint32(data[pack.HeaderSize-4:], nonce) // an equal pack is about to be deleted
	}
	id, err := putNamed(ctx, ses.store.backend, hash, prefixPacks, data)
	if err != nil {
		return fmt.Errorf("store pack: %w", err)
	}
	p.id = id
	p.stored.Store(true)
	ses.Stats.Packs.Add(1)
	ses.Stats.Stored.Add(int64(len(data)))
	ses.packs = append(ses.packs, foundPack{id, int64(len(data))})
	ses.unindexed = append(ses.unindexed, entriesOf(id, frames)...)
	if p.whole == nil {
		select {
		case ses.buffers <- data:
		default:
		}
	}
	p.Builder, p.whole, p.frames = pack.Builder{}, nil, nil
	if len(ses.unindexed) >= indexFlush {
		return ses.flushIndex(ctx)
	}
	return nil
}

// flushIndex writes an index of the packs stored since the last one, and lets go
// of what the index now knows.
func (ses *Session) flushIndex(ctx context.Context) error {
	entries := ses.unindexed
	files, err := ses.store.putEntries(ctx, entries)
	if err != nil {
		return err
	}
	ses.finder.add(files, ses.packs)
	ses.mu.Lock()
	for _, e := range entries {
		delete(ses.fresh, e.id)
	}
	ses.mu.Unlock()
	ses.unindexed, ses.packs = nil, nil
	return nil
}

// putEntries sorts entries and stores them as one run of the lowest level.
func (s *Store) putEntries(ctx context.Context, entries []indexEntry) (files []*indexFile, err error) {
	slices.SortFunc(entries, compareEntries)
	for part := range slices.Chunk(entries, maxIndexRecords) {
		file, err := s.putIndex(ctx, encodeIndex(0, runID(entries[0].id), part))
		if err != nil {
			return nil, fmt.Errorf("store index: %w", err)
		}
		files = append(files, file)
	}
	return files, nil
}

// putIndex stores an index object and opens it for reading page by page.
func (s *Store) putIndex(ctx context.Context, data []byte) (*indexFile, error) {
	id, err := putNamed(ctx, s.backend, s.Hash(), prefixIndexes, data)
	if err != nil {
		return nil, err
	}
	key := prefixIndexes + id.String()
	file, err := openIndex(id.String(), int64(len(data)), bytesAt(key, data))
	if err != nil {
		return nil, err
	}
	file.read = func(p []byte, off int64) error { return s.backend.Get(ctx, key, p, off) }
	return file, nil
}

// MergeIndexes keeps the number of index objects small. It may be interrupted at
// any point: records that stand twice do no harm.
func (s *Store) MergeIndexes(ctx context.Context) error {
	for {
		files, _, err := s.openIndexes(ctx, 0)
		if err != nil {
			return fmt.Errorf("read the store's indexes: %w", err)
		}
		if files = due(files); len(files) == 0 {
			return nil
		}
		packs, err := s.listPacks(ctx, func(chunk.ID) bool { return false })
		if err != nil {
			return err
		}
		made := map[string]bool{}
		err = mergeIndexes(ctx, files, func(e indexEntry) bool { return len(packs.holders(e.pack)) > 0 }, func(data []byte) error {
			id, err := putNamed(ctx, s.backend, s.Hash(), prefixIndexes, data)
			made[id.String()] = true
			return err
		})
		var damage *IntegrityError
		if errors.Is(err, ErrNotFound) || errors.As(err, &damage) {
			return nil // another writer merges the same, or a check has work to do; no image is the worse for it
		}
		if err != nil {
			return fmt.Errorf("merge indexes: %w", err)
		}
		for _, file := range files {
			if made[file.name] {
				continue
			}
			if err := s.backend.Delete(ctx, prefixIndexes+file.name); err != nil {
				return fmt.Errorf("merge indexes: %w", err)
			}
		}
	}
}
