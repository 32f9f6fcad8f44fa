package hive

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/tool"
)

func edited(t testing.TB, minor int) (*Hive, *Editor) {
	t.Helper()
	h, err := New(minor, "ROOT", day)
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Edit(day)
	if err != nil {
		t.Fatal(err)
	}
	return h, e
}

func closed(t testing.TB, e *Editor) []byte {
	t.Helper()
	file, err := e.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	if len(file)%4096 != 0 {
		t.Errorf("the file has %d bytes", len(file))
	}
	return file
}

func TestNew(t *testing.T) {
	for minor := 3; minor <= 6; minor++ {
		_, e := edited(t, minor)
		if e.Changed() {
			t.Error("nothing was done, and it changed")
		}
		judged(t, closed(t, e), content{"": "key"})
	}
}

func TestTypes(t *testing.T) {
	values := []Value{
		String("", "default ü € 😀"), ExpandString("expand", `%SystemRoot%\inf;x`), Strings("multi", "one", "zwölf"), Strings("empty list"),
		Number("dword", 0xFFFFFFFE), LongNumber("qword", 1<<63+5), Bytes("bytes", []byte{1, 2, 3, 4, 5}), Bytes("nothing", nil), Bytes("small", []byte{7}),
		String(`back\slash "quoted"=`, "x"), String("ÄÖ€", "y"), {"odd type", 77, []byte("12345678")},
		Bytes("one cell", bytes.Repeat([]byte{1, 2, 3}, segmentSize/3)), Bytes("two cells", bytes.Repeat([]byte{9}, segmentSize+1)), Bytes("big", bytes.Repeat([]byte("abcdefg"), 100000)),
	}
	for minor := 3; minor <= 6; minor++ {
		t.Run(fmt.Sprint("1.", minor), func(t *testing.T) {
			h, e := edited(t, minor)
			for _, v := range values {
				if err := e.Set(`Some\Key`, v); err != nil {
					t.Fatal(err)
				}
			}
			for _, v := range values {
				got, err := h.Value(`some\KEY`, strings.ToUpper(v.Name))
				if err != nil || got.Name != v.Name || !got.equal(v) {
					t.Errorf("%q: %v", v.Name, err)
				}
			}
			judged(t, closed(t, e), contentOf(t, h))
			if err := e.Remove("some"); err != nil {
				t.Fatal(err)
			}
			judged(t, closed(t, e), content{"": "key"})
		})
	}
}

func TestAccessors(t *testing.T) {
	if s, err := ExpandString("", "a€").Text(); s != "a€" || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	if s, err := Strings("", "a", "b").Texts(); !slices.Equal(s, []string{"a", "b"}) || err != nil {
		t.Errorf("%q, %v", s, err)
	}
	for v, want := range map[*Value]uint64{{Type: DWord, Data: []byte{1, 2, 0, 0}}: 0x201, {Type: DWordBig, Data: []byte{0, 0, 2, 1}}: 0x201, {Type: QWord, Data: []byte{0, 0, 0, 0, 1, 0, 0, 0}}: 1 << 32} {
		if n, err := v.Uint(); n != want || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if _, err := Number("", 1).Text(); err == nil {
		t.Error("a number is a text")
	}
	if _, err := Bytes("", []byte{1}).Uint(); err == nil {
		t.Error("bytes are a number")
	}
	if _, err := Bytes("", nil).Texts(); err == nil {
		t.Error("bytes are texts")
	}
}

// TestRandomEdits holds a hive against a model of it, and lets the judges look
// every now and then.
func TestRandomEdits(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			h, e := edited(t, 3+2*int(seed%2))
			model := content{"": "key"}
			for step := range 900 {
				path := randomPath(rng)
				if err := randomEdit(rng, e, model, path); err != nil {
					t.Fatal(err)
				}
				if step%30 == 0 {
					differ(t, "the hive", contentOf(t, h), model)
				}
				if step%300 == 299 {
					judged(t, closed(t, e), model)
				}
			}
		})
	}
}

func randomPath(rng *rand.Rand) string {
	names := []string{"a", "B", "Key with space", "ÜBER", "k€y", "a-b", "{guid}", "zz", "aa", "Ab", "x.y"}
	path := ""
	for range 1 + rng.IntN(4) {
		path += `\` + names[rng.IntN(len(names))]
	}
	return path
}

func randomEdit(rng *rand.Rand, e *Editor, model content, path string) error {
	name := []string{"", "v1", "value 2", "wört", "V9"}[rng.IntN(5)]
	switch rng.IntN(10) {
	case 0:
		for key := range maps.Clone(model) {
			if rest, ok := strings.CutPrefix(key, path); ok && (rest == "" || rest[0] == '\\' || rest[0] == 0) {
				delete(model, key)
			}
		}
		return e.Remove(path)
	case 1, 2:
		delete(model, path+"\x00"+name)
		return e.Delete(path, name)
	case 3:
		model.addKeys(path)
		return e.Create(path)
	}
	sizes := []int{0, 3, 4, 5, 6, 20, 20, 40, 40, 100, 100, 900, 900, 5000, 20000, 40000}
	v := Value{name, Type(1 + rng.IntN(3)), make([]byte, sizes[rng.IntN(len(sizes))])}
	for i := range v.Data {
		v.Data[i] = byte(rng.Uint32())
	}
	model.addKeys(path)
	model[path+"\x00"+name] = fmt.Sprintf("%x:%x", uint32(v.Type), v.Data)
	return e.Set(path, v)
}

func (c content) addKeys(path string) {
	for i := 1; i < len(path); i++ {
		if path[i] == '\\' {
			c[path[:i]] = "key"
		}
	}
	c[path] = "key"
}

// TestManyKeys needs an index root.
func TestManyKeys(t *testing.T) {
	for _, minor := range []int{3, 5} {
		h, e := edited(t, minor)
		rng := rand.New(rand.NewPCG(3, 4))
		for _, i := range rng.Perm(1200) {
			if err := e.Create(fmt.Sprintf(`many\key %d`, i)); err != nil {
				t.Fatal(err)
			}
		}
		judged(t, closed(t, e), contentOf(t, h))
		for i := range 1150 {
			if err := e.Remove(fmt.Sprintf(`many\KEY %d`, i)); err != nil {
				t.Fatal(err)
			}
		}
		judged(t, closed(t, e), contentOf(t, h))
	}
}

func TestSameEditChangesNothing(t *testing.T) {
	h, e := edited(t, 5)
	if err := e.Set(`a\b`, String("v", "x")); err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(closed(t, e))
	again, err := Open(bytes.Clone(before))
	if err != nil {
		t.Fatal(err)
	}
	if e, err = again.Edit(day.AddDate(1, 0, 0)); err != nil {
		t.Fatal(err)
	}
	for _, edit := range []error{e.Set(`A\B`, String("V", "x")), e.Create("a"), e.Delete("a", "none"), e.Delete("none", ""), e.Remove(`none\deep`), e.Remove(`a\none`)} {
		if edit != nil {
			t.Error(edit)
		}
	}
	if e.Changed() || !bytes.Equal(closed(t, e), before) {
		t.Error("it changed")
	}
	_ = h
}

func TestRefusedEdits(t *testing.T) {
	edits := map[string]func(e *Editor) error{
		"root":       func(e *Editor) error { return e.Remove(`\`) },
		"long key":   func(e *Editor) error { return e.Create(strings.Repeat("x", 256)) },
		"null":       func(e *Editor) error { return e.Create("a\x00b") },
		"null value": func(e *Editor) error { return e.Set("a", String("v\x00", "")) },
		"big value":  func(e *Editor) error { return e.Set("a", Bytes("v", make([]byte, maxData+1))) },
	}
	for name, edit := range edits {
		_, e := edited(t, 5)
		err := edit(e)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if _, later := e.Bytes(); !errors.Is(later, err) {
			t.Errorf("%s: bytes after an error: %v", name, later)
		}
	}
}

func TestUpperCase(t *testing.T) {
	table := windowsUpcase(t)
	for c := range 0x10000 {
		if got, want := upper(uint16(c)), table[c]; got != want {
			t.Errorf("%04x becomes %04x, want %04x", c, got, want)
		}
	}
}

// windowsUpcase is the $UpCase that mkntfs writes, which is that of Windows.
func windowsUpcase(t *testing.T) []uint16 {
	path := save(t, make([]byte, 4<<20))
	if _, err := (tool.Command{Name: tool.MkNTFS, Args: []string{"-F", "-q", path}}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	return units([]byte(judge(t, "ntfscat", "-i", "10", path)))
}
