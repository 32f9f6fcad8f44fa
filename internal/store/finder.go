package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// indexMemory is how many bytes of index objects a finder holds in memory; what
// is beyond is read page by page.
const indexMemory = 32 << 20

// finder knows where chunks lie, as of when it was made. It is safe for
// concurrent use.
type finder struct {
	store *Store
	pages sync.Pool

	mu    sync.RWMutex
	packs *packList // that are there and not condemned
	files []*indexFile
}

// newFinder lists the packs that are there, without those for which skip says
// true, and opens every index. A damaged index object is passed over and
// returned in damaged: what it held is found no more, so it is stored again.
func (s *Store) newFinder(ctx context.Context, skip func(chunk.ID) bool) (f *finder, damaged []error, err error) {
	f = &finder{store: s}
	f.pages.New = func() any { return new([indexPage]byte) }
	// Indexes first: a pack that is listed after its index was read is found, and
	// one that was deleted between is not believed.
	if f.files, damaged, err = s.openIndexes(ctx, indexMemory); err != nil {
		return nil, nil, fmt.Errorf("read the store's indexes: %w", err)
	}
	f.packs, err = s.listPacks(ctx, skip)
	return f, damaged, err
}

// listPacks lists the packs that are there, without those for which skip says true.
func (s *Store) listPacks(ctx context.Context, skip func(chunk.ID) bool) (*packList, error) {
	var packs []foundPack
	err := s.Packs(ctx, func(id chunk.ID, o Object) error {
		if !skip(id) {
			packs = append(packs, foundPack{id, o.Size})
		}
		return nil
	})
	return newPackList(packs), err
}

// openIndexes opens all index objects, with up to most bytes of them in memory. When one is merged into another meanwhile
// it begins again, some times: then what it held may stay unfound.
func (s *Store) openIndexes(ctx context.Context, most int64) (files []*indexFile, damaged []error, err error) {
	for range 5 {
		memory, vanished := most, false
		files, damaged = nil, nil
		err = s.backend.List(ctx, prefixIndexes, func(o Object) error {
			file, err := s.openIndex(ctx, o, &memory)
			var damage *IntegrityError
			switch {
			case errors.Is(err, ErrNotFound):
				vanished = true
			case errors.As(err, &damage):
				damaged = append(damaged, err)
			case err != nil:
				return err
			default:
				files = append(files, file)
			}
			return nil
		})
		if err != nil || !vanished {
			break
		}
	}
	return files, damaged, err
}

// openIndex opens one index object, in memory as long as there is room for it.
func (s *Store) openIndex(ctx context.Context, o Object, memory *int64) (*indexFile, error) {
	read := func(p []byte, off int64) error { return s.part(ctx, o.Key, p, off) }
	if o.Size <= *memory {
		data := make([]byte, o.Size)
		if err := read(data, 0); err != nil {
			return nil, err
		}
		*memory -= o.Size
		read = bytesAt(o.Key, data)
	}
	return openIndex(strings.TrimPrefix(o.Key, prefixIndexes), o.Size, read)
}

// bytesAt reads from an object that is in memory.
func bytesAt(key string, data []byte) readAt {
	return func(p []byte, off int64) error {
		if off < 0 || off > int64(len(data)) || copy(p, data[off:]) < len(p) {
			return &IntegrityError{key, off, "is cut off"}
		}
		return nil
	}
}

// find returns a place of the chunk, other than those in not. A record that
// points nowhere possible, or behind the end of a pack that was cut, is passed over.
func (f *finder) find(id chunk.ID, not ...chunk.ID) (pack.Location, bool, error) {
	page := f.pages.Get().(*[indexPage]byte)
	defer f.pages.Put(page)
	f.mu.RLock()
	files := f.files // only ever appended to
	f.mu.RUnlock()
	var found pack.Location
	for _, file := range files {
		if !file.covers(id) {
			continue
		}
		err := file.lookup(id, page[:], func(e indexEntry) bool {
			for _, p := range f.holders(e.pack) {
				if p.mayHold(e.loc) && !slices.Contains(not, p.id) {
					found, found.Pack = e.loc, p.id
				}
			}
			return found.Length == 0
		})
		var damage *IntegrityError
		if err != nil && !errors.Is(err, ErrNotFound) && !errors.As(err, &damage) {
			return pack.Location{}, false, err
		}
		if found.Length > 0 {
			return found, true, nil
		}
	}
	return pack.Location{}, false, nil
}

// holders are the packs that an index may mean.
func (f *finder) holders(p packPrefix) []foundPack {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.packs.holders(p)
}

func (f *finder) has(id chunk.ID) bool {
	return slices.ContainsFunc(f.holders(prefixOf(id)), func(p foundPack) bool { return p.id == id })
}

// add makes what a session has stored meanwhile findable.
func (f *finder) add(files []*indexFile, packs []foundPack) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = append(f.files, files...)
	for _, p := range packs {
		f.packs.add(p)
	}
}

// Packs calls yield for each pack in the store.
func (s *Store) Packs(ctx context.Context, yield func(chunk.ID, Object) error) error {
	return s.named(ctx, prefixPacks, yield)
}

// named lists the objects under prefix that are named by a hash.
func (s *Store) named(ctx context.Context, prefix string, yield func(chunk.ID, Object) error) error {
	err := s.backend.List(ctx, prefix, func(o Object) error {
		id, err := chunk.ParseID(strings.TrimPrefix(o.Key, prefix))
		if err != nil {
			return nil // somebody else's file
		}
		return yield(id, o)
	})
	if err != nil {
		return fmt.Errorf("list %s: %w", prefix, err)
	}
	return nil
}
