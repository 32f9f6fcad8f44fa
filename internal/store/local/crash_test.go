package local_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/local/crashfs"
)

// TestCrash kills the program at every step of some puts and deletes and cuts the
// power: what a returned call said is so, and no object is there in part.
func TestCrash(t *testing.T) {
	keys := []string{"config", "packs/3f00", "packs/3f01", "names/lab/v1", "maps/aa00"}
	for steps := 0; ; steps++ {
		for seed := range uint64(4) {
			disk := crashfs.New()
			disk.CrashAfter(steps)
			put, deleted := putAndDelete(t, disk, keys)
			after, err := local.OpenOn(disk.Crash(rand.New(rand.NewPCG(seed, uint64(steps)))), "/srv/store")
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, after, fmt.Sprintf("killed after %d steps, seed %d", steps, seed), keys, put, deleted)
			if !disk.Dead() {
				return
			}
		}
	}
}

func putAndDelete(t *testing.T, disk *crashfs.FS, keys []string) (put, deleted []string) {
	b, err := local.OpenOn(disk, "/srv/store")
	if err != nil {
		return nil, nil
	}
	for _, key := range keys {
		if err := b.Put(t.Context(), key, bytes.Repeat([]byte(key), 100)); err != nil && !errors.Is(err, store.ErrExists) {
			return put, nil
		}
		// To be told that it exists is as good as to have put it.
		if err := b.Put(t.Context(), key, []byte("other")); !errors.Is(err, store.ErrExists) {
			return put, nil
		}
		put = append(put, key)
	}
	for _, key := range keys[1:3] {
		if err := b.Delete(t.Context(), key); err != nil {
			return put, append(deleted, "?"+key)
		}
		deleted = append(deleted, key)
	}
	return put, deleted
}

func wantObjects(t *testing.T, b *local.Backend, when string, keys, put, deleted []string) {
	t.Helper()
	for _, key := range keys {
		want := bytes.Repeat([]byte(key), 100)
		o, err := b.Stat(t.Context(), key)
		gone := errors.Is(err, store.ErrNotFound)
		switch {
		case err != nil && !gone:
			t.Errorf("%s: %v", when, err)
		case gone && slices.Contains(put, key) && !slices.Contains(deleted, key) && !slices.Contains(deleted, "?"+key):
			t.Errorf("%s: %s was put and is gone", when, key)
		case !gone && slices.Contains(deleted, key):
			t.Errorf("%s: %s was deleted and is there", when, key)
		case gone:
		default:
			got := make([]byte, o.Size)
			if err := b.Get(t.Context(), key, got, 0); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %s holds other bytes than were put (error %v)", when, key, err)
			}
		}
	}
}

// TestCrashAfterAnotherProgram lets one program die at every step, and another go
// on where it was before the power is cut: what the second was told is durable,
// also what the first had begun.
func TestCrashAfterAnotherProgram(t *testing.T) {
	keys := []string{"config", "packs/3f00", "packs/3f01", "names/lab/v1", "maps/aa00"}
	for steps := 0; ; steps++ {
		first := crashfs.New()
		first.CrashAfter(steps)
		putAndDelete(t, first, keys)
		for seed := range uint64(4) {
			second := first.Copy()
			put, deleted := putAndDelete(t, second, keys)
			if len(deleted) != 2 {
				t.Fatalf("the second program stopped after it had put %q and deleted %q", put, deleted)
			}
			after, err := local.OpenOn(second.Crash(rand.New(rand.NewPCG(seed, uint64(steps)))), "/srv/store")
			if err != nil {
				t.Fatal(err)
			}
			wantObjects(t, after, fmt.Sprintf("first program killed after %d steps, seed %d", steps, seed), keys, put, deleted)
		}
		if !first.Dead() {
			return
		}
	}
}
