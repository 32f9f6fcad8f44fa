package store

import (
	"context"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/pack"
)

// model is an index, the slow and obvious way.
type model map[chunk.ID]map[indexEntry]bool

func (m model) add(entries []indexEntry) {
	for _, e := range entries {
		if m[e.id] == nil {
			m[e.id] = map[indexEntry]bool{}
		}
		m[e.id][e] = true
	}
}

// randomEntries returns n records, of which about one in three is about a chunk
// that another one is about, or about one whose ID begins with the same 8 bytes.
func randomEntries(r *rand.Rand, n int) []indexEntry {
	out := make([]indexEntry, n)
	for i := range out {
		e := &out[i]
		for b := 0; b < len(e.id); b += 8 {
			binary.BigEndian.PutUint64(e.id[b:], r.Uint64())
		}
		if i > 0 && r.IntN(6) == 0 {
			e.id = out[r.IntN(i)].id
		}
		if i > 0 && r.IntN(6) == 0 {
			copy(e.id[:8], out[r.IntN(min(i, 3))].id[:8])
		}
		e.pack = packPrefix(r.Uint64N(5))
		plain := 4096 + r.Uint32N(pack.FramePlain)
		e.loc = pack.Location{
			Offset: pack.HeaderSize + r.Uint32N(1<<24), Stored: r.Uint32N(plain), Plain: plain, Codec: pack.Codec(r.IntN(2)),
			Inside: r.Uint32N(2048), Length: 1 + r.Uint32N(2048),
		}
	}
	slices.SortFunc(out, compareEntries)
	return out
}

func openBytes(t testing.TB, data []byte) *indexFile {
	t.Helper()
	f, err := openIndex("test", int64(len(data)), bytesAt("indexes/test", data))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// found returns everything that a file says of a chunk.
func found(t *testing.T, f *indexFile, id chunk.ID) map[indexEntry]bool {
	t.Helper()
	out := map[indexEntry]bool{}
	err := f.lookup(id, make([]byte, indexPage), func(e indexEntry) bool {
		out[e] = true
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// all returns the records of a file in order.
func all(f *indexFile) (out []indexEntry, err error) {
	h, err := openCursors([]*indexFile{f})
	for err == nil && len(h) > 0 {
		out = append(out, h[0].entry())
		err = h.advance()
	}
	return out, err
}

func TestIndexAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 2, recordsPerPage - 1, recordsPerPage, recordsPerPage + 1, 2 * recordsPerPage, 3*recordsPerPage + 7, 5000} {
		entries := randomEntries(r, n)
		want := model{}
		want.add(entries)
		f := openBytes(t, encodeIndex(3, 77, entries))
		if f.level != 3 || f.run != 77 || f.records != uint64(n) {
			t.Errorf("%d records: header says level %d, run %d, %d records", n, f.level, f.run, f.records)
		}
		for id, places := range want {
			if !f.covers(id) || !maps.Equal(found(t, f, id), places) {
				t.Fatalf("%d records: chunk %s is not found as it was put", n, id.Short())
			}
			id[31] ^= 1
			if want[id] == nil && len(found(t, f, id)) > 0 {
				t.Fatalf("%d records: chunk %s, which is not in it, is found", n, id.Short())
			}
		}
		for _, edge := range []chunk.ID{{}, {0: 0xff, 1: 0xff, 2: 0xff, 3: 0xff, 4: 0xff, 5: 0xff, 6: 0xff, 7: 0xff}} {
			if len(found(t, f, edge)) > 0 {
				t.Errorf("%d records: the edge %s is found", n, edge.Short())
			}
		}
		if got, err := all(f); err != nil || !slices.Equal(got, entries) {
			t.Errorf("%d records: reading all of them gives %d, %v", n, len(got), err)
		}
	}
}

// Chunks whose IDs share their first 8 bytes over several pages: the fences do
// not tell them apart.
func TestIndexOfOnePrefix(t *testing.T) {
	entries := randomEntries(rand.New(rand.NewPCG(2, 2)), 4*recordsPerPage)
	for i := recordsPerPage / 2; i < 3*recordsPerPage; i++ {
		copy(entries[i].id[:8], entries[recordsPerPage/2].id[:8])
	}
	slices.SortFunc(entries, compareEntries)
	want := model{}
	want.add(entries)
	f := openBytes(t, encodeIndex(0, 0, entries))
	for id, places := range want {
		if !maps.Equal(found(t, f, id), places) {
			t.Fatalf("chunk %s is not found as it was put", id.Short())
		}
	}
}

func TestMergeAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 20 {
		want := model{}
		var files []*indexFile
		common := randomEntries(r, 50)
		for range 1 + r.IntN(mergeFan) {
			entries := append(randomEntries(r, 1+r.IntN(900)), common...)
			slices.SortFunc(entries, compareEntries)
			want.add(entries)
			files = append(files, openBytes(t, encodeIndex(1, r.Uint64(), entries)))
		}
		gone := packPrefix(3)
		var merged []indexEntry
		err := mergeIndexes(context.Background(), files, func(e indexEntry) bool { return e.pack != gone }, func(data []byte) error {
			f := openBytes(t, data)
			if f.level != 2 {
				t.Errorf("merged to level %d", f.level)
			}
			records, err := all(f)
			merged = append(merged, records...)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.IsSortedFunc(merged, compareEntries) {
			t.Error("the result is not in order")
		}
		got := model{}
		got.add(merged)
		for id, places := range want {
			maps.DeleteFunc(places, func(e indexEntry, _ bool) bool { return e.pack == gone })
			if !maps.Equal(got[id], places) {
				t.Fatalf("chunk %s: got %v, want %v", id.Short(), got[id], places)
			}
			delete(got, id)
		}
		if len(got) > 0 {
			t.Errorf("%d chunks came from nowhere", len(got))
		}
		if n := len(merged); n != len(slices.Compact(merged)) {
			t.Error("a record stands twice")
		}
	}
}

// A merge writes several objects of one run where one would be too large.
func TestMergeOfLargeRuns(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	a, b := randomEntries(r, 150_000), randomEntries(r, 150_000)
	files := []*indexFile{openBytes(t, encodeIndex(0, 1, a)), openBytes(t, encodeIndex(0, 2, b))}
	var made []*indexFile
	err := mergeIndexes(t.Context(), files, func(indexEntry) bool { return true }, func(data []byte) error {
		made = append(made, openBytes(t, data))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(made) != 2 || made[0].records != maxIndexRecords || made[0].run != made[1].run || made[0].last > made[1].fences[0] {
		t.Errorf("made %d objects", len(made))
	}
}

func TestDue(t *testing.T) {
	files := func(counts ...int) (out []*indexFile) {
		for level, n := range counts {
			for run := range n {
				// Two objects a run: what counts is runs.
				out = append(out, &indexFile{level: uint32(level), run: uint64(run)}, &indexFile{level: uint32(level), run: uint64(run)})
			}
		}
		return out
	}
	for _, c := range []struct {
		counts []int
		level  int // -1: none
	}{{[]int{}, -1}, {[]int{mergeFan - 1, mergeFan - 1}, -1}, {[]int{mergeFan, mergeFan}, 0}, {[]int{1, mergeFan + 3}, 1}, {[]int{0, 0, mergeFan}, 2}} {
		got := due(files(c.counts...))
		if c.level < 0 && got != nil || c.level >= 0 && len(got) != 2*c.counts[c.level] {
			t.Errorf("%v: %d files are due", c.counts, len(got))
		}
	}
	if got := due([]*indexFile{{level: 1 << 31}}); got != nil {
		t.Errorf("one file of a level that cannot be is due: %v", got)
	}
}
