// Package mem is a store backend in memory, for tests and for work that leaves
// nothing behind. It keeps the whole contract of store.Backend, and nothing
// after the program ends.
package mem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Backend holds objects in a map. The zero value is an empty store.
type Backend struct {
	mu      sync.RWMutex
	objects map[string]object
}

type object struct {
	data []byte
	put  time.Time
}

var _ store.Backend = (*Backend)(nil)

// Put implements store.Backend.
func (b *Backend) Put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.objects[key]; ok {
		return fmt.Errorf("put %s: %w", key, store.ErrExists)
	}
	if b.objects == nil {
		b.objects = map[string]object{}
	}
	b.objects[key] = object{slices.Clone(data), time.Now()}
	return nil
}

// Get implements store.Backend.
func (b *Backend) Get(ctx context.Context, key string, p []byte, off int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	o, ok := b.objects[key]
	if !ok {
		return fmt.Errorf("get %s: %w", key, store.ErrNotFound)
	}
	if off < 0 || off > int64(len(o.data)) || int64(len(p)) > int64(len(o.data))-off {
		return fmt.Errorf("get %d bytes at %#x of %s: %w", len(p), off, key, store.ErrShort)
	}
	copy(p, o.data[off:])
	return nil
}

// Stat implements store.Backend.
func (b *Backend) Stat(ctx context.Context, key string) (store.Object, error) {
	if err := ctx.Err(); err != nil {
		return store.Object{}, err
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	o, ok := b.objects[key]
	if !ok {
		return store.Object{}, fmt.Errorf("stat %s: %w", key, store.ErrNotFound)
	}
	return store.Object{Key: key, Size: int64(len(o.data)), ModTime: o.put}, nil
}

// List implements store.Backend.
func (b *Backend) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	b.mu.RLock()
	var found []store.Object
	for key, o := range b.objects {
		if strings.HasPrefix(key, prefix) {
			found = append(found, store.Object{Key: key, Size: int64(len(o.data)), ModTime: o.put})
		}
	}
	b.mu.RUnlock()
	for _, o := range found {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := yield(o); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Delete implements store.Backend.
func (b *Backend) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.objects, key)
	return nil
}
