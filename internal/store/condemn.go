package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A condemnation lists objects that a clean-up is about to delete. Writers that
// begin after it was put do not reuse them; it is carried out when every writer
// that may not know it has ended.
type condemnation struct {
	Keys []string `json:"keys"`
}

// Condemn announces that the objects are going to be deleted, and returns the
// announcement's name.
func (s *Store) Condemn(ctx context.Context, keys []string) (string, error) {
	name := randomName()
	if err := s.backend.Put(ctx, prefixCondemned+name, seal(condemnation{keys})); err != nil {
		return "", fmt.Errorf("condemn %d objects: %w", len(keys), err)
	}
	return name, nil
}

// Condemned returns the condemned keys by the name of their condemnation. A
// condemnation that cannot be read condemns nothing, and nothing of it is deleted.
func (s *Store) Condemned(ctx context.Context) (map[string][]string, error) {
	all := map[string][]string{}
	err := s.backend.List(ctx, prefixCondemned, func(o Object) error {
		data, err := read(ctx, s.backend, o.Key, maxObject)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		var c condemnation
		var damage *IntegrityError
		if err := unseal(o.Key, data, &c); err != nil && !errors.As(err, &damage) {
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

// MayCarryOut reports whether every writer knows the condemnation. The caller
// has expired the abandoned ones.
func MayCarryOut(name string, leases []Lease) bool {
	return !slices.ContainsFunc(leases, func(l Lease) bool { return !slices.Contains(l.Knows, name) })
}

// CarryOut deletes the keys that doomed says are still not needed, then the
// condemnation itself. doomed must rest on names that were listed after
// MayCarryOut said yes.
func (s *Store) CarryOut(ctx context.Context, name string, keys []string, doomed func(key string) (bool, error)) (deleted []string, err error) {
	for _, key := range keys {
		ok, err := doomed(key)
		if err != nil {
			return deleted, err
		}
		if !ok {
			continue
		}
		if err := s.backend.Delete(ctx, key); err != nil {
			return deleted, err
		}
		deleted = append(deleted, key)
	}
	return deleted, s.backend.Delete(ctx, prefixCondemned+name)
}
