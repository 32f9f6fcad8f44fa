package storetest

import (
	"context"
	"fmt"
	"sync"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Copy puts every object of src into dst.
func Copy(t testing.TB, dst, src store.Backend) {
	t.Helper()
	err := src.List(t.Context(), "", func(o store.Object) error {
		data := make([]byte, o.Size)
		if err := src.Get(t.Context(), o.Key, data, 0); err != nil {
			return err
		}
		return dst.Put(t.Context(), o.Key, data)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Flip changes one byte of an object; off counts from its end when negative.
func Flip(t testing.TB, b store.Backend, key string, off int64) {
	t.Helper()
	Change(t, b, key, func(data []byte) []byte {
		if off < 0 {
			off += int64(len(data))
		}
		data[off] ^= 0x55
		return data
	})
}

// Cut leaves the first size bytes of an object; from its end when negative.
func Cut(t testing.TB, b store.Backend, key string, size int64) {
	t.Helper()
	Change(t, b, key, func(data []byte) []byte {
		if size < 0 {
			size += int64(len(data))
		}
		return data[:size]
	})
}

// Change replaces the bytes of an object by what f returns.
func Change(t testing.TB, b store.Backend, key string, f func([]byte) []byte) {
	t.Helper()
	o, err := b.Stat(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, o.Size)
	if err := b.Get(t.Context(), key, data, 0); err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	put(t, b, key, f(data))
}

func put(t testing.TB, b store.Backend, key string, data []byte) {
	t.Helper()
	if err := b.Put(t.Context(), key, data); err != nil {
		t.Fatal(err)
	}
}

// Failing is a backend that has room for so many puts.
type Failing struct {
	store.Backend
	mu   sync.Mutex
	room int
}

// NewFailing returns a backend whose Put number room, counted from 0, and every
// later one fails with syscall.ENOSPC.
func NewFailing(b store.Backend, room int) *Failing { return &Failing{Backend: b, room: room} }

// Put implements store.Backend.
func (f *Failing) Put(ctx context.Context, key string, data []byte) error {
	f.mu.Lock()
	f.room--
	full := f.room < 0
	f.mu.Unlock()
	if full {
		return fmt.Errorf("put %s: %w", key, syscall.ENOSPC)
	}
	return f.Backend.Put(ctx, key, data)
}

// Failed reports whether a put has failed.
func (f *Failing) Failed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.room < 0
}
