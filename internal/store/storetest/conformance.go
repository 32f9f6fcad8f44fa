// Package storetest tests store backends, and damages what lies in them for the
// tests of everything above.
//
// Run is the contract of store.Backend as a test; each backend calls it from a
// few lines. Flip, Cut, Change and Copy work on any backend; Failing is one that runs
// out of space as told. The package knows keys and bytes, and no format.
package storetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

// Run checks one backend. open returns an empty one each time it is called.
func Run(t *testing.T, open func(t *testing.T) store.Backend) {
	tests := []struct {
		name string
		run  func(*testing.T, store.Backend)
	}{
		{"put and get", testPutGet},
		{"put if absent", testPutIfAbsent},
		{"byte ranges", testRanges},
		{"absent objects", testAbsent},
		{"stat", testStat},
		{"key shapes", testKeys},
		{"list", testList},
		{"list stops at an error", testListStops},
		{"delete", testDelete},
		{"cancelled context", testCancelled},
		{"one of many puts wins", testOneWins},
		{"never a part of an object", testNeverPart},
		{"list while objects come and go", testListMoving},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t)) })
	}
}

// keys are of every shape a store uses; backends must keep them apart.
var keys = []string{
	"config",
	"packs/" + strings.Repeat("3f", 32), "packs/" + strings.Repeat("3e", 32),
	"maps/" + strings.Repeat("3f", 32), "manifests/" + strings.Repeat("3f", 32),
	"indexes/" + strings.Repeat("00", 32), "condemned/" + strings.Repeat("ab", 16),
	"sessions/" + strings.Repeat("cd", 16) + ".0", "sessions/" + strings.Repeat("cd", 16) + ".10",
	"names/lab/v1", "names/lab/v10", "names/lab-pc/v1", "names/" + strings.Repeat("n", 64) + "/" + strings.Repeat("t", 64),
	"names/tmp/tmp", "names/packs/config", "names/A.b_c-d/1..2",
}

// named is a key of an object that is named by a hash with these first digits. All
// keys of the suite have the form of doc/format.md, so that backends may insist on it.
func named(prefix, digits string) string {
	return prefix + digits + strings.Repeat("0", 64-len(digits))
}

// want checks that key holds exactly data.
func want(t *testing.T, b store.Backend, key string, data []byte) {
	t.Helper()
	got := make([]byte, len(data))
	if err := b.Get(t.Context(), key, got, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, data) {
		t.Fatalf("%s holds other bytes than were put", key)
	}
	if o, err := b.Stat(t.Context(), key); err != nil || o.Size != int64(len(data)) {
		t.Fatalf("%s: stat says %d bytes, error %v; %d were put", key, o.Size, err, len(data))
	}
}

// list returns the keys under prefix, sorted.
func list(t *testing.T, b store.Backend, prefix string) []string {
	t.Helper()
	found := []string{}
	err := b.List(t.Context(), prefix, func(o store.Object) error {
		found = append(found, o.Key)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

func testPutGet(t *testing.T, b store.Backend) {
	for i, size := range []int{0, 1, 4096, 1<<20 + 1} {
		key, data := named("packs/", fmt.Sprintf("%02x", i)), pattern(1, size)
		put(t, b, key, data)
		want(t, b, key, data)
	}
	// The backend must not keep the caller's memory, nor hand out its own.
	data := pattern(2, 100)
	put(t, b, "config", data)
	clear(data)
	got := make([]byte, 100)
	if err := b.Get(t.Context(), "config", got, 0); err != nil {
		t.Fatal(err)
	}
	clear(got)
	want(t, b, "config", pattern(2, 100))
}

func testPutIfAbsent(t *testing.T, b store.Backend) {
	for _, key := range []string{"config", named("packs/", "3f3f"), "names/lab/v1"} {
		put(t, b, key, []byte("first"))
		if err := b.Put(t.Context(), key, []byte("the second")); !errors.Is(err, store.ErrExists) {
			t.Errorf("second put of %s: got %v, want ErrExists", key, err)
		} else if !strings.Contains(err.Error(), key) {
			t.Errorf("the error does not name %s: %v", key, err)
		}
		want(t, b, key, []byte("first"))
	}
}

func testRanges(t *testing.T, b store.Backend) {
	const size = 10000
	data := pattern(3, size)
	put(t, b, named("packs/", "aa"), data)
	for _, r := range []struct {
		off   int64
		n     int
		short bool
	}{
		{0, size, false}, {0, 1, false}, {size - 1, 1, false}, {4095, 2, false}, {1, size - 1, false},
		{0, 0, false}, {size / 2, 0, false}, {size, 0, false},
		{0, size + 1, true}, {size, 1, true}, {size - 1, 2, true}, {size + 1, 1, true}, {1 << 40, 1, true},
	} {
		got := make([]byte, r.n)
		err := b.Get(t.Context(), named("packs/", "aa"), got, r.off)
		if r.short && !errors.Is(err, store.ErrShort) {
			t.Errorf("get %d bytes at %d of %d: got %v, want ErrShort", r.n, r.off, size, err)
		}
		if !r.short && (err != nil || !bytes.Equal(got, data[r.off:][:r.n])) {
			t.Errorf("get %d bytes at %d of %d: wrong bytes or error %v", r.n, r.off, size, err)
		}
	}
}

func testAbsent(t *testing.T, b store.Backend) {
	put(t, b, "names/lab/v1", []byte("x"))
	for _, key := range append([]string{"names/lab/v2", "names/other/v1", named("packs/", "00"), "names/lab"}, keys[:3]...) {
		if err := b.Get(t.Context(), key, make([]byte, 1), 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get of absent %s: got %v, want ErrNotFound", key, err)
		}
		if err := b.Get(t.Context(), key, nil, 0); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("get of nothing from absent %s: got %v, want ErrNotFound", key, err)
		}
		if _, err := b.Stat(t.Context(), key); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("stat of absent %s: got %v, want ErrNotFound", key, err)
		}
	}
}

func testStat(t *testing.T, b store.Backend) {
	// A server's clock may be a little off, and file systems round.
	before := time.Now().Add(-time.Minute)
	put(t, b, named("manifests/", "aa"), pattern(4, 777))
	o, err := b.Stat(t.Context(), named("manifests/", "aa"))
	if err != nil {
		t.Fatal(err)
	}
	if o.Key != named("manifests/", "aa") || o.Size != 777 || o.ModTime.Before(before) || o.ModTime.After(time.Now().Add(time.Minute)) {
		t.Errorf("stat: got %+v", o)
	}
}

func testKeys(t *testing.T, b store.Backend) {
	for i, key := range keys {
		put(t, b, key, pattern(byte(i), 100+i))
	}
	for i, key := range keys {
		want(t, b, key, pattern(byte(i), 100+i))
	}
	sorted := slices.Sorted(slices.Values(keys))
	if got := list(t, b, ""); !slices.Equal(got, sorted) {
		t.Errorf("list of everything:\ngot  %q\nwant %q", got, sorted)
	}
}

func testDelete(t *testing.T, b store.Backend) {
	put(t, b, named("packs/", "3f3f"), []byte("a"))
	put(t, b, named("packs/", "3f40"), []byte("b"))
	for range 2 { // the second time it is absent, which is no error
		if err := b.Delete(t.Context(), named("packs/", "3f3f")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), named("packs/", "3f3f")); !errors.Is(err, store.ErrNotFound) {
			t.Fatalf("stat after delete: got %v, want ErrNotFound", err)
		}
	}
	if err := b.Delete(t.Context(), "names/never/was"); err != nil {
		t.Errorf("delete of what never was: %v", err)
	}
	if got := list(t, b, "packs/"); !slices.Equal(got, []string{named("packs/", "3f40")}) {
		t.Errorf("list after delete: got %q", got)
	}
	put(t, b, named("packs/", "3f3f"), []byte("again"))
	want(t, b, named("packs/", "3f3f"), []byte("again"))
}

func testCancelled(t *testing.T, b store.Backend) {
	put(t, b, "config", []byte("here"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, stat := b.Stat(ctx, "config")
	for act, err := range map[string]error{
		"put":    b.Put(ctx, named("packs/", "aa"), []byte("x")),
		"get":    b.Get(ctx, "config", make([]byte, 4), 0),
		"stat":   stat,
		"list":   b.List(ctx, "", func(store.Object) error { return nil }),
		"delete": b.Delete(ctx, "config"),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: got %v", act, err)
		}
	}
	want(t, b, "config", []byte("here"))
	if got := list(t, b, ""); !slices.Equal(got, []string{"config"}) {
		t.Errorf("a cancelled put left something: %q", got)
	}
}

// pattern returns n bytes that differ with seed and place.
func pattern(seed byte, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = seed + byte(i) + byte(i>>8)*3 + byte(i>>16)*5
	}
	return b
}
