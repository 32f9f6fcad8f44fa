package files

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestRandomTrees makes random listings, makes the files, and walks them: what
// comes out is what went in.
func TestRandomTrees(t *testing.T) {
	dir, _ := volumetest.Mount(t, volumetest.Mkfs(t, 256<<20, "mkfs.ext4", "-q", "-b", "4096", "{}"), "noatime")
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 0))
		l := randomListing(r)
		contents := make([]byte, l.Contents)
		for _, d := range l.stored() {
			for _, p := range l.parts(nil, d, extent.Extent{Length: l.Contents}) {
				for i := range p.inFile.Length {
					contents[p.at+i] = byte(r.Uint32() >> (8 + r.Uint32N(2)*24))
				}
			}
		}
		v, err := Open(t.Context(), sourceOf(l.Encode(), bytes.NewReader(contents), extent.List{{Length: l.Contents}}), 0)
		must(t, err)
		target := fmt.Sprintf("%s/%d", dir, seed)
		volumetest.Tool(t, "mkdir", target)
		losses, err := v.Apply(t.Context(), target, &progress.Work{})
		must(t, err)
		for _, loss := range losses {
			t.Errorf("seed %d: lost %v", seed, loss)
		}
		compareEqual(t, v, target)
		tree := walk(t, target, WalkOptions{All: true})
		compareEqual(t, tree.Volume(), target)
		for i := range l.Entries {
			want, got := &l.Entries[i], &tree.Listing.Entries[i]
			if want.Name != got.Name || want.Type != got.Type || want.Mtime != got.Mtime || want.Type != Link && want.Type != Dir && want.Atime != got.Atime {
				t.Fatalf("seed %d: entry %d is %+v, want %+v", seed, i, got, want)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func randomListing(r *rand.Rand) *Listing {
	l := &Listing{Kind: "ext4", Sets: [][]Attr{nil}}
	for i := range 1 + r.IntN(4) {
		l.Sets = append(l.Sets, []Attr{{fmt.Sprintf("trusted.%d", i), randomBytes(r, 200)}, {"user.z", randomBytes(r, 9)}})
	}
	l.Entries = []Entry{randomEntry(r, l, Dir)}
	for dir := 0; dir < len(l.Entries) && len(l.Entries) < 300; dir++ {
		if l.Entries[dir].Type != Dir {
			continue
		}
		names := randomNames(r)
		l.Entries[dir].First, l.Entries[dir].Count = int32(len(l.Entries)), int32(len(names))
		for _, name := range names {
			e := randomEntry(r, l, Type(1+r.IntN(8)))
			e.Name, e.Parent = name, int32(dir)
			l.Entries = append(l.Entries, e)
		}
	}
	l.Contents = max(l.Contents, chunk.Grid)
	return l
}

func randomNames(r *rand.Rand) []string {
	var names []string
	for range r.IntN(12) {
		name := strings.Map(func(c rune) rune {
			if c == '/' || c == 0 {
				return 'x'
			}
			return c
		}, string(randomBytes(r, 60))) + "-"
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func randomEntry(r *rand.Rand, l *Listing, kind Type) Entry {
	e := Entry{
		Type: kind, Mode: uint16(r.Uint32N(0o10000)), UID: r.Uint32N(1 << 31), GID: r.Uint32N(1 << 31),
		Mtime: Time{r.Int64N(1<<33) - 1<<31, r.Uint32N(1e9)}, Atime: Time{r.Int64N(1 << 33), r.Uint32N(1e9)},
	}
	switch kind {
	case Dir:
		e.Attrs = r.Uint32N(uint32(len(l.Sets)))
	case File:
		e.Attrs = r.Uint32N(uint32(len(l.Sets)))
		e.Data = randomData(r, l)
	case Symlink:
		e.Mode, e.More = 0o777, &More{Target: "to/" + strings.Repeat("a", r.IntN(300))}
	case CharDevice, BlockDevice:
		e.More = &More{Major: r.Uint32N(1 << 12), Minor: r.Uint32N(1 << 20)}
	case Link:
		to := slices.IndexFunc(l.Entries, func(e Entry) bool { return e.Type == File || e.Type == FIFO })
		if to < 0 {
			return randomEntry(r, l, FIFO)
		}
		return Entry{Type: Link, More: &More{Link: int32(to)}}
	}
	return e
}

// randomData takes the next bytes of the contents for a file.
func randomData(r *rand.Rand, l *Listing) Data {
	d := Data{Size: r.Int64N(1 << r.IntN(18)), At: l.Contents}
	if r.IntN(3) == 0 {
		var b extent.Builder
		d.Sparse, d.Size = true, d.Size+chunk.Grid*(2+r.Int64N(5))
		for at := r.Int64N(3) * chunk.Grid; at < d.Size; at += (2 + r.Int64N(4)) * chunk.Grid {
			b.Add(at, min(chunk.Grid, d.Size-at))
		}
		d.Stored = b.List()
	}
	l.Contents += d.length()
	return d
}

func randomBytes(r *rand.Rand, most int) []byte {
	b := make([]byte, 1+r.IntN(most))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}
