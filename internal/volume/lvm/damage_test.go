package lvm

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func fixture(t testing.TB, name string) *volumetest.Sparse {
	t.Helper()
	s, err := volumetest.ReadFixture("testdata/" + name + ".sparse.gz")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// areasOf is where a fixture keeps its metadata.
func areasOf(t testing.TB, s *volumetest.Sparse) []extent.Extent {
	t.Helper()
	sector, number, err := findLabel(s)
	if err != nil {
		t.Fatal(err)
	}
	l, err := parseLabel(sector, number, s.Size())
	if err != nil {
		t.Fatal(err)
	}
	return l.metadata
}

func TestDamagedMetadata(t *testing.T) {
	s := fixture(t, "two-metadata-areas")
	areas := areasOf(t, s)
	if len(areas) != 2 {
		t.Fatalf("metadata areas %v", areas)
	}
	_, want := volumetest.Check(t, reader(), s)
	s.Patch(areas[0].Start+mdaTextAt, []byte{0xFF})
	_, got := volumetest.Check(t, reader(), s)
	if got.Bytes() != want.Bytes() {
		t.Errorf("with one copy left %d bytes are used, before %d", got.Bytes(), want.Bytes())
	}

	s.Patch(areas[1].Start+mdaTextAt, []byte{0xFF})
	if refusal := volumetest.Refused(t, reader(), s, volume.Damaged); !refusal.Waivable {
		t.Error("the refusal cannot be waived")
	}
	v, err := reader().Open(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if used, err := v.Used(t.Context()); err != nil || used.Bytes() != s.Size() {
		t.Errorf("without metadata %d of %d bytes are used, %v", used.Bytes(), s.Size(), err)
	}
}

// TestNewestWins gives the second area an older text that is intact.
func TestNewestWins(t *testing.T) {
	s := fixture(t, "two-metadata-areas")
	areas := areasOf(t, s)
	putText(s, areas[1], "vg0 {\nseqno = 1\n}\n")
	v, _ := volumetest.Check(t, reader(), s)
	if len(v.(volume.Container).Children()) != 1 {
		t.Error("the older metadata was taken")
	}
}

func TestDamagedLabel(t *testing.T) {
	s := fixture(t, "linear")
	s.Patch(512+labelSize+3, []byte("x"))
	var damage *volume.DamageError
	if _, err := reader().Open(t.Context(), s); !errors.As(err, &damage) {
		t.Errorf("got %v, want a DamageError", err)
	}
}

// putText writes a text into a metadata area, checksums made right.
func putText(s *volumetest.Sparse, area extent.Extent, text string) {
	header := make([]byte, sectorSize)
	le := binary.LittleEndian
	copy(header[mdaMagicAt:], mdaMagic)
	le.PutUint32(header[mdaVersionAt:], mdaVersion)
	le.PutUint64(header[mdaStartAt:], uint64(area.Start))
	le.PutUint64(header[mdaSizeAt:], uint64(area.Length))
	le.PutUint64(header[mdaTextAt:], sectorSize)
	le.PutUint64(header[mdaTextAt+8:], uint64(len(text)))
	le.PutUint32(header[mdaTextAt+16:], checksum([]byte(text)))
	le.PutUint32(header, checksum(header[mdaMagicAt:]))
	s.Patch(area.Start, append(header, text...))
}

func TestGroupStates(t *testing.T) {
	s := fixture(t, "linear")
	area := areasOf(t, s)[0]
	text, err := readText(s, area)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ old, fresh, note string }{
		{`status = ["RESIZEABLE"`, `status = ["EXPORTED", "RESIZEABLE"`, "exported"},
		{"flags = []\ndev_size", "flags = [\"MISSING\"]\ndev_size", "missing"},
		{`type = "striped"`, `type = "from-the-future"`, `"from-the-future"`},
		{`"VISIBLE"`, `"READ"`, "internal"},
	} {
		changed := strings.Replace(string(text), test.old, test.fresh, 1)
		if changed == string(text) {
			t.Fatalf("%q is not in the metadata", test.old)
		}
		putText(s, area, changed)
		v, used := volumetest.Check(t, reader(), s)
		if notes := strings.Join(v.Info().Notes, " "); !strings.Contains(notes, test.note) {
			t.Errorf("notes %q, want %q", notes, test.note)
		}
		if used.End() > s.Size() {
			t.Error("used map behind the volume")
		}
	}
	for _, test := range [][2]string{
		{"pe_start = 2048", "pe_start = -1"},
		{"pe_count = 127", "pe_count = 128"},
		{"extent_size = 2048", "extent_size = 0"},
		{"extent_count = 20", "extent_count = 4000000000000"},
		{`"pv0", 38`, `"pv0", 127`},
		{"pe_count", "pe_count {"},
	} {
		putText(s, area, strings.Replace(string(text), test[0], test[1], 1))
		volumetest.Refused(t, reader(), s, volume.Damaged)
	}
}

func TestParseConfig(t *testing.T) {
	n, err := parseConfig([]byte("# comment }\na = 5 b=\"x \\\"y\\\\ # no\" # more\ns {\n\tlist = [1, \"two\" , 3]\nempty=[]\n}\nend=-1.5\x00garbage {"))
	if err != nil {
		t.Fatal(err)
	}
	s := n.child("s")
	if n.text("a") != "5" || n.text("b") != `x "y\ # no` || n.text("end") != "-1.5" || len(s.child("empty").values) != 0 ||
		strings.Join(s.child("list").values, "|") != "1|two|3" {
		t.Errorf("got %+v", n)
	}
	for _, bad := range []string{"a", "a {", "}", "a = [1", "a = [1 {", "{", strings.Repeat("a {", 10), "a = [" + strings.Repeat("1,", maxNodes) + "]"} {
		if _, err := parseConfig([]byte(bad)); err == nil {
			t.Errorf("accepted %.20q", bad)
		}
	}
}
