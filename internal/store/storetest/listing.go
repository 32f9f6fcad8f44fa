package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/store"
)

func testList(t *testing.T, b store.Backend) {
	for _, prefix := range []string{"", "packs/", "names/", "names/lab/"} {
		if got := list(t, b, prefix); len(got) > 0 {
			t.Errorf("list %q of an empty store: %q", prefix, got)
		}
	}
	for _, key := range keys {
		put(t, b, key, []byte(key))
	}
	for _, prefix := range []string{
		"", "packs/", "maps/", "manifests/", "names/", "names/lab/", "names/lab-pc/", "names/nobody/", "indexes/", "sessions/",
		"condemned/", "packs/3f/", "other/",
	} {
		expected := slices.DeleteFunc(slices.Sorted(slices.Values(keys)), func(k string) bool { return !strings.HasPrefix(k, prefix) })
		if got := list(t, b, prefix); !slices.Equal(got, expected) {
			t.Errorf("list %q:\ngot  %q\nwant %q", prefix, got, expected)
		}
	}
	err := b.List(t.Context(), "", func(o store.Object) error {
		stat, err := b.Stat(t.Context(), o.Key)
		if err == nil && (o.Size != stat.Size || !o.ModTime.Equal(stat.ModTime)) {
			err = fmt.Errorf("list says %+v, stat %+v", o, stat)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func testListStops(t *testing.T, b store.Backend) {
	for _, key := range keys {
		put(t, b, key, nil)
	}
	enough, calls := errors.New("enough"), 0
	err := b.List(t.Context(), "", func(store.Object) error {
		calls++
		if calls == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || calls != 3 {
		t.Errorf("list went on to call %d and returned %v", calls, err)
	}
}

// testListMoving lists while other objects are put and deleted: what is there
// all the time is listed exactly once, and nothing is listed that never was.
func testListMoving(t *testing.T, b store.Backend) {
	stay := map[string]bool{}
	for i := range 50 {
		key := named("packs/", fmt.Sprintf("%02x5", i*5))
		stay[key] = true
		put(t, b, key, []byte("x"))
	}
	stop := make(chan struct{})
	var moving sync.WaitGroup
	for g := range 2 {
		moving.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := named("packs/", fmt.Sprintf("%02xee%d", i%256, g))
				if err := errors.Join(b.Put(t.Context(), key, []byte("y")), b.Delete(t.Context(), key)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		seen := 0
		for _, key := range list(t, b, "packs/") {
			if stay[key] {
				seen++
			} else if !strings.HasPrefix(key[len("packs/00"):], "ee") {
				t.Errorf("listed %q, which nobody put", key)
			}
		}
		if seen != len(stay) {
			t.Errorf("listed %d of the %d objects that were there all the time", seen, len(stay))
		}
	}
	close(stop)
	moving.Wait()
}
