package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// Reindex writes into new index objects what the tables of contents of packs
// say. A pack whose table cannot be read is left out and returned in damaged,
// as an *IntegrityError; one that is gone is left out.
func (s *Store) Reindex(ctx context.Context, packs []chunk.ID) (damaged []error, err error) {
	var entries []indexEntry
	for _, id := range packs {
		found, err := s.entriesOfPack(ctx, id)
		var damage *IntegrityError
		switch {
		case errors.Is(err, ErrNotFound):
		case errors.As(err, &damage):
			damaged = append(damaged, err)
		case err != nil:
			return damaged, fmt.Errorf("index packs: %w", err)
		}
		if entries = append(entries, found...); len(entries) < indexFlush {
			continue
		}
		if _, err := s.putEntries(ctx, entries); err != nil {
			return damaged, err
		}
		entries = entries[:0]
	}
	_, err = s.putEntries(ctx, entries)
	return damaged, err
}

func (s *Store) entriesOfPack(ctx context.Context, id chunk.ID) ([]indexEntry, error) {
	o, err := s.backend.Stat(ctx, prefixPacks+id.String())
	if err != nil {
		return nil, err
	}
	frames, err := s.TOC(ctx, id, o.Size)
	return entriesOf(id, frames), err
}

// RebuildIndexes writes the places of all chunks in all packs to new index
// objects, and then deletes the damaged ones, given as the errors that
// NewLocator or Locator.Each returned. unread are packs that it could not read.
func (s *Store) RebuildIndexes(ctx context.Context, damaged []error) (unread []error, err error) {
	var packs []chunk.ID
	err = s.Packs(ctx, func(id chunk.ID, _ Object) error {
		packs = append(packs, id)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if unread, err = s.Reindex(ctx, packs); err != nil {
		return unread, err
	}
	for _, err := range damaged {
		var damage *IntegrityError
		if !errors.As(err, &damage) || !strings.HasPrefix(damage.Key, prefixIndexes) {
			continue
		}
		if err := s.backend.Delete(ctx, damage.Key); err != nil {
			return unread, fmt.Errorf("delete damaged index: %w", err)
		}
	}
	return unread, nil
}
