package files

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/progress"
)

// small is a listing with one of everything.
func small() *Listing {
	at := Time{-1, 999999999}
	return &Listing{
		Kind: "ntfs", Spec: map[string]string{"make": "{}", "a": ""}, Contents: 5 * chunk.Grid,
		Sets: [][]Attr{nil, {{"user.a", []byte("1")}, {"user.b", nil}}},
		Entries: []Entry{
			{Type: Dir, Mode: 0o755, First: 1, Count: 7, Mtime: at, Atime: Time{5, 0}},
			{Name: "block", Type: BlockDevice, Mode: 0o600, More: &More{Major: 8, Minor: 1 << 20}},
			{Name: "dir", Type: Dir, Mode: 0o1777, First: 8, Count: 1, Flags: flagAppend, Attrs: 1, More: &More{Subvolume: true, ReadOnly: true}},
			{Name: "fifo", Type: FIFO},
			{Name: "file", Type: File, UID: 1<<32 - 1, Data: Data{Size: 5000, At: chunk.Grid}, More: &More{
				Times: &NTFSTimes{Time{1, 2}, Time{3, 4}}, Streams: []Stream{{"s", Data{Size: 1}}, {"t", Data{}}},
			}},
			{Name: "link", Type: Symlink, Mode: 0o777, More: &More{Target: "../../etc"}},
			{Name: "socket", Type: Socket},
			{Name: "sparse", Type: File, Data: Data{Size: 1 << 40, Sparse: true, At: 3 * chunk.Grid, Stored: extent.List{{Start: 4096, Length: 4096}, {Start: 1<<40 - 4096, Length: 4096}}}, More: &More{Reserved: true}},
			{Name: "other", Parent: 2, Type: Link, More: &More{Link: 4}},
		},
	}
}

func parse(b []byte) (*Listing, error) { return Parse(bytes.NewReader(b)) }

func TestEncodeAndParse(t *testing.T) {
	want := small()
	got, err := parse(want.Encode())
	must(t, err)
	if len(got.order) != 3 {
		t.Errorf("%d files have bytes, want 3", len(got.order))
	}
	got.order = nil
	for i := range got.Entries {
		if e := &got.Entries[i]; e.Type == Dir && e.Count == 0 {
			e.First = 0
		}
	}
	for _, s := range got.Sets[1:] {
		for i := range s {
			if len(s[i].Value) == 0 {
				s[i].Value = nil
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for name, n := range map[string]int32{"": 0, "/": 0, "dir/other": 4, "/dir/": 2, "file": 4} {
		if i, ok := got.Find(name); !ok || i != n {
			t.Errorf("Find(%q) is %d, %v; want %d", name, i, ok, n)
		}
	}
	for _, name := range []string{"nothing", "dir/file", "link/etc", "file/s", ".."} {
		if i, ok := got.Find(name); ok {
			t.Errorf("Find(%q) is %d", name, i)
		}
	}
}

// TestParseRefuses breaks one thing at a time.
func TestParseRefuses(t *testing.T) {
	for what, spoil := range map[string]func(l *Listing){
		"empty name":              func(l *Listing) { l.Entries[1].Name = "" },
		"the directory itself":    func(l *Listing) { l.Entries[1].Name = "." },
		"the directory above":     func(l *Listing) { l.Entries[1].Name = ".." },
		"a path":                  func(l *Listing) { l.Entries[1].Name = "a/b" },
		"an absolute path":        func(l *Listing) { l.Entries[1].Name = "/etc" },
		"NUL in a name":           func(l *Listing) { l.Entries[1].Name = "a\x00b" },
		"a long name":             func(l *Listing) { l.Entries[1].Name = strings.Repeat("b", maxName+1) },
		"a name twice":            func(l *Listing) { l.Entries[3].Name = "dir" },
		"names out of order":      func(l *Listing) { l.Entries[3].Name = "a" },
		"root with a name":        func(l *Listing) { l.Entries[0].Name = "root" },
		"root is a file":          func(l *Listing) { l.Entries[0].Type = File },
		"no root":                 func(l *Listing) { l.Entries = nil },
		"too many entries":        func(l *Listing) { l.Entries[2].Count = 0 },
		"too few entries":         func(l *Listing) { l.Entries[2].Count = 2 },
		"missing entries":         func(l *Listing) { l.Entries[2].Count = 1<<31 - 1 },
		"link to a directory":     func(l *Listing) { l.Entries[8].More.Link = 2 },
		"link to the root":        func(l *Listing) { l.Entries[8].More.Link = 0 },
		"link to itself":          func(l *Listing) { l.Entries[8].More.Link = 8 },
		"link to what comes":      func(l *Listing) { l.Entries[8].More.Link = 9 },
		"unknown type":            func(l *Listing) { l.Entries[3].Type = 9 },
		"no type":                 func(l *Listing) { l.Entries[3].Type = 0 },
		"mode with a type":        func(l *Listing) { l.Entries[3].Mode = 0o10000 },
		"set that is not there":   func(l *Listing) { l.Entries[3].Attrs = 2 },
		"empty set":               func(l *Listing) { l.Sets[1] = []Attr{} },
		"attribute twice":         func(l *Listing) { l.Sets[1][1].Name = "user.a" },
		"attribute without name":  func(l *Listing) { l.Sets[1][0].Name = "" },
		"attribute with NUL":      func(l *Listing) { l.Sets[1][0].Name = "user.\x00" },
		"large attribute":         func(l *Listing) { l.Sets[1][0].Value = make([]byte, maxAttr+1) },
		"no contents":             func(l *Listing) { l.Contents = 0 },
		"bytes behind the end":    func(l *Listing) { l.Entries[7].At += chunk.Grid },
		"bytes of another file":   func(l *Listing) { l.Entries[7].At -= chunk.Grid },
		"stream in a file":        func(l *Listing) { l.Entries[4].More.Streams[0].At = chunk.Grid },
		"extent behind the end":   func(l *Listing) { l.Entries[7].Size = 8192 },
		"extents that touch":      func(l *Listing) { l.Entries[7].Stored[0].Length = 1 << 20 },
		"extent off the grid":     func(l *Listing) { l.Entries[7].Stored[0].Length = 4095 },
		"empty extent":            func(l *Listing) { l.Entries[7].Stored[0].Length = 0 },
		"nanoseconds":             func(l *Listing) { l.Entries[3].Mtime.Nsec = 1_000_000_000 },
		"link that leads nowhere": func(l *Listing) { l.Entries[5].More.Target = "" },
		"link with NUL":           func(l *Listing) { l.Entries[5].More.Target = "a\x00" },
		"file as subvolume":       func(l *Listing) { l.Entries[4].More.Subvolume = true },
		"directory with space":    func(l *Listing) { l.Entries[2].More.Reserved = true },
		"stream twice":            func(l *Listing) { l.Entries[4].More.Streams[1].Name = "s" },
		"stream of a stream":      func(l *Listing) { l.Entries[4].More.Streams[1].Name = "t:u" },
		"stream outside":          func(l *Listing) { l.Entries[4].More.Streams[1].Name = "t/../.." },
		"stream of a FIFO":        func(l *Listing) { l.Entries[3].More = &More{Streams: []Stream{{Name: "x"}}} },
	} {
		t.Run(what, func(t *testing.T) {
			l := small()
			spoil(l)
			var format *FormatError
			if _, err := parse(l.Encode()); !errors.As(err, &format) {
				t.Errorf("got %v, want a *FormatError", err)
			}
		})
	}
}

func TestParseRefusesParts(t *testing.T) {
	whole := small().Encode()
	for n := range whole {
		var format *FormatError
		if _, err := parse(whole[:n]); !errors.As(err, &format) {
			t.Fatalf("%d of %d bytes: %v", n, len(whole), err)
		}
	}
	if _, err := parse(append(whole, 0)); err == nil {
		t.Error("bytes behind the end were taken")
	}
}

func TestParseRefusesDepth(t *testing.T) {
	l := &Listing{Contents: chunk.Grid, Sets: [][]Attr{nil}, Entries: []Entry{{Type: Dir}}}
	for range maxDepth + 1 {
		l.Entries[len(l.Entries)-1].Count = 1
		l.Entries = append(l.Entries, Entry{Name: "d", Type: Dir})
	}
	if _, err := parse(l.Encode()); err == nil {
		t.Error("a directory too deep was taken")
	}
	l.Entries = l.Entries[:maxDepth+1]
	l.Entries[maxDepth].Count = 0
	if _, err := parse(l.Encode()); err != nil {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(small().Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parse(data)
		if err != nil {
			return
		}
		again, err := parse(l.Encode())
		if err != nil {
			t.Fatalf("what was parsed and encoded is refused: %v", err)
		}
		if !bytes.Equal(again.Encode(), l.Encode()) {
			t.Error("encoding and parsing changes a listing")
		}
	})
}

// FuzzApply makes files by any listing that parses, in a folder beside which
// nothing may change.
func FuzzApply(f *testing.F) {
	harmless := small()
	harmless.Entries[7].Data = Data{Size: 1 << 16, Sparse: true, At: 3 * chunk.Grid, Stored: extent.List{{Start: 8192, Length: 8192}}}
	f.Add(harmless.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parse(data)
		if err != nil || !affordable(l) {
			return
		}
		base := t.TempDir()
		canary, target := filepath.Join(base, "canary"), filepath.Join(base, "target")
		must(t, os.WriteFile(canary, []byte("alive"), 0o600))
		must(t, os.Mkdir(target, 0o700))
		before, err := os.Stat(canary)
		must(t, err)
		v, err := Open(t.Context(), sourceOf(data, blocktest.NewMemory(l.Contents, 512), extent.List{{Length: l.Contents}}), 0)
		must(t, err)
		v.Apply(t.Context(), target, &progress.Work{})
		os.Chmod(target, 0o700)
		entries, err := os.ReadDir(base)
		must(t, err)
		after, err := os.Stat(canary)
		must(t, err)
		if len(entries) != 2 || !reflect.DeepEqual(before.Sys(), after.Sys()) {
			t.Errorf("there are %v, and the canary was %v and is %v", entries, before, after)
		}
	})
}

// affordable keeps a fuzzer from filling the disk, or from making files that
// nobody can remove.
func affordable(l *Listing) bool {
	const most = 1 << 20
	if l.Contents > most || len(l.Entries) > 1000 {
		return false
	}
	for i := range l.Entries {
		if e := &l.Entries[i]; e.Flags&lockingFlags != 0 || e.Size > most {
			return false
		}
	}
	return true
}
