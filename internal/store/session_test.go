package store_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/mem"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
)

func create(t *testing.T, b store.Backend) *store.Store {
	t.Helper()
	s, err := store.OpenOrCreate(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// chunks returns n different chunks.
func chunks(n int) [][]byte {
	r := rand.New(rand.NewPCG(9, 9))
	out := make([][]byte, n)
	for i := range out {
		out[i] = bytes.Repeat([]byte{byte(r.Uint32()), byte(r.Uint32()), byte(i), byte(i >> 8)}, 1+r.IntN(20000))
	}
	return out
}

// putAll puts the chunks by several writers at once, each all of them in another
// order, and returns where the first says they lie.
func putAll(t *testing.T, s *store.Store, data [][]byte, writers int) (places []*store.Place, fresh int64) {
	t.Helper()
	ctx := t.Context()
	ses, err := s.Begin(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	places = make([]*store.Place, len(data))
	var g sync.WaitGroup
	for n := range writers {
		g.Go(func() {
			w, err := ses.NewWriter()
			if err != nil {
				t.Error(err)
				return
			}
			for _, i := range rand.New(rand.NewPCG(uint64(n), 1)).Perm(len(data)) {
				_, at, _, err := w.Put(ctx, data[i])
				if err != nil {
					t.Error(err)
					return
				}
				if n == 0 {
					places[i] = at
				}
			}
			if err := w.Close(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	g.Wait()
	if err := errors.Join(ses.Sync(ctx), ses.Close(ctx)); err != nil {
		t.Fatal(err)
	}
	return places, ses.Stats.Plain.Load()
}

func bytesOf(data [][]byte) (n int64) {
	for _, d := range data {
		n += int64(len(d))
	}
	return n
}

// What several writers put at once is stored once, is found by the next session,
// and is read back from its place, and from a place that is wrong.
func TestWritersShareChunks(t *testing.T) {
	s := create(t, &mem.Backend{})
	data := chunks(400)
	places, fresh := putAll(t, s, data, 4)
	if fresh != bytesOf(data) {
		t.Errorf("%d bytes are new, of %d", fresh, bytesOf(data))
	}
	r, err := s.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for i, d := range data {
		at, ok := places[i].Location()
		if !ok {
			t.Fatal("a place is not known after Sync")
		}
		got := make([]byte, len(d))
		for name, hint := range map[string]pack.Location{"its place": at, "a pack that is gone": stale(at), "nowhere": {}} {
			if err := r.Read(t.Context(), s.Hash().Sum(d), hint, got); err != nil || !bytes.Equal(got, d) {
				t.Fatalf("chunk %d by %s: %v", i, name, err)
			}
		}
	}
	if _, fresh := putAll(t, s, data, 2); fresh != 0 {
		t.Errorf("the next session stores %d bytes again", fresh)
	}
}

func stale(at pack.Location) pack.Location {
	at.Pack[0] ^= 0xff
	return at
}

// A chunk that is not in the store is an error that names it.
func TestReadOfUnknownChunk(t *testing.T) {
	s := create(t, &mem.Backend{})
	r, err := s.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	id := s.Hash().Sum([]byte("x"))
	err = r.Read(t.Context(), id, pack.Location{}, make([]byte, 1))
	var missing *store.ChunkError
	if !errors.As(err, &missing) || missing.ID != id {
		t.Errorf("got %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := store.Open(t.Context(), &mem.Backend{}); !errors.Is(err, store.ErrNoStore) {
		t.Errorf("an empty backend: %v", err)
	}
	for change, check := range map[string]func(error) bool{
		`"ingotStore": 2`: func(err error) bool {
			var version *store.VersionError
			return errors.As(err, &version) && version.Format == 2
		},
		`"hash": 9`:    func(err error) bool { return err != nil && strings.Contains(err.Error(), "hash 9") },
		`"min": 1`:     func(err error) bool { return err != nil && strings.Contains(err.Error(), "chunk sizes") },
		`"max": 65537`: func(err error) bool { return err != nil && strings.Contains(err.Error(), "chunk sizes") },
	} {
		b := &mem.Backend{}
		create(t, b)
		key, _, _ := strings.Cut(change, ":")
		storetest.Change(t, b, "config", func(data []byte) []byte {
			_, body, _ := bytes.Cut(data, []byte("\n"))
			sealed := regexp.MustCompile(key+`: \d+`).ReplaceAll(body, []byte(change))
			return append([]byte("ingot 1 "+chunk.SHA256.Sum(sealed).String()+"\n"), sealed...)
		})
		if _, err := store.Open(t.Context(), b); !check(err) {
			t.Errorf("%s: got %v", change, err)
		}
	}
}

// Many programs that begin on an empty folder at once agree on one store.
func TestCreateOnce(t *testing.T) {
	b := &mem.Backend{}
	ids := make([]string, 8)
	var g sync.WaitGroup
	for i := range ids {
		g.Go(func() { ids[i] = create(t, b).Config().ID })
	}
	g.Wait()
	for _, id := range ids {
		if id != ids[0] || id == "" {
			t.Fatalf("stores %q", ids)
		}
	}
}
