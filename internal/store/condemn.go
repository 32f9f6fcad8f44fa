package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A condemnation lists objects that a clean-up is about to delete. Writers that
// begin after it was put do not refer to them; it is carried out when every
// writer that may not know it has ended. How that keeps images whole is told in
// doc/decisions/0004-clean-up-without-locks.md.
type condemnation struct {
	Keys []string `json:"keys"`
}

// maxCondemned bounds the keys of one condemnation.
const maxCondemned = 100_000

// Condemned returns the condemned keys by the name of their condemnation. Of a
// condemnation that cannot be read the keys are nil: it condemns nothing, nobody
// knows it, and nothing of it is deleted.
func (s *Store) Condemned(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	err := s.backend.List(ctx, prefixCondemned, func(o Object) error {
		data, err := read(ctx, s.backend, o.Key, maxObject)
		if errors.Is(err, ErrNotFound) {
			return nil // carried out meanwhile: what it condemned is gone
		}
		var c condemnation
		var damage *IntegrityError
		if err == nil {
			err = unseal(o.Key, data, &c)
		}
		if err != nil && !errors.As(err, &damage) {
			return err
		}
		all[strings.TrimPrefix(o.Key, prefixCondemned)] = c.Keys
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read condemnations: %w", err)
	}
	return all, nil
}

// known are the names of the condemnations that could be read; never nil.
func known(condemned map[string][]string) []string {
	names := make([]string, 0, len(condemned))
	for name, keys := range condemned {
		if keys != nil {
			names = append(names, name)
		}
	}
	return names
}

// keySet is the keys of all condemnations.
func keySet(condemned map[string][]string) map[string]bool {
	set := map[string]bool{}
	for keys := range maps.Values(condemned) {
		for _, key := range keys {
			set[key] = true
		}
	}
	return set
}

// knows reports whether the writer avoids what the condemnation condemns.
func (l Lease) knows(name string) bool { return slices.Contains(l.Knows, name) }
