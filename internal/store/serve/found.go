package serve

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Found is a set of keys that is found by a look at the store, such as what an image
// needs, and found anew when it may have changed: a clean-up moves chunks into other
// packs while they are read. All who read the same share one.
type Found struct {
	find func(context.Context) (Keys, error)

	mu    sync.Mutex
	keys  Keys
	at    time.Time     // when it was found last
	took  time.Duration // how long that took
	stale bool
}

// Nobody can make a server look more often than this, nor for more than a twentieth
// of the time.
const (
	findEvery = 10 * time.Second
	findPart  = 20

	findWithin = 5 * time.Minute
)

// NewFound returns the set that find finds.
func NewFound(find func(context.Context) (Keys, error)) *Found { return &Found{find: find} }

// Grant lets requests read what is in the set. The error is that of finding it. The
// Grant is good for longer than ctx.
func (f *Found) Grant(ctx context.Context, who string) (Grant, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys == nil {
		if err := f.look(ctx); err != nil {
			return Grant{}, err
		}
	}
	later := context.WithoutCancel(ctx)
	return Grant{Who: who, Read: func(key string) bool { return f.has(later, key) }, Missing: f.missing}, nil
}

// has looks again when a key is not in the set.
func (f *Found) has(ctx context.Context, key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.keys.has(key) {
		return true
	}
	if !f.stale && time.Since(f.at) < max(findEvery, findPart*f.took) {
		return false
	}
	return f.look(ctx) == nil && f.keys.has(key)
}

// missing says that a key of the set is not in the store: others may have come in
// its place.
func (f *Found) missing(string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stale = true
}

// look finds the keys; the caller holds mu.
func (f *Found) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, findWithin)
	defer cancel()
	begin := time.Now()
	keys, err := f.find(ctx)
	f.at, f.took, f.stale = time.Now(), time.Since(begin), false
	if err != nil {
		return fmt.Errorf("find what may be read: %w", err)
	}
	f.keys = keys
	return nil
}
