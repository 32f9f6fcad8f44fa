package wim

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
)

// encode makes the XML of a WIM of text.
func encode(text string) []byte {
	data := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		data = binary.LittleEndian.AppendUint16(data, u)
	}
	return data
}

const twoImages = `<WIM><TOTALBYTES>1</TOTALBYTES><IMAGE INDEX="1"><NAME>Windows 11 Home</NAME><DESCRIPTION>a &lt;b&gt; &amp; "c" ä</DESCRIPTION>
<FLAGS>Core</FLAGS><DISPLAYNAME>Home</DISPLAYNAME><WINDOWS><ARCH>9</ARCH><PRODUCTNAME>Windows</PRODUCTNAME><EDITIONID>Core</EDITIONID>
<VERSION><MAJOR>10</MAJOR><MINOR>0</MINOR><BUILD>26100</BUILD></VERSION></WINDOWS><DIRCOUNT>20</DIRCOUNT><FILECOUNT>100</FILECOUNT>
<TOTALBYTES>5000</TOTALBYTES><HARDLINKBYTES>1000</HARDLINKBYTES></IMAGE>
<IMAGE INDEX="2"><NAME>7</NAME></IMAGE></WIM>`

func TestParse(t *testing.T) {
	images, err := parse(encode(twoImages))
	if err != nil {
		t.Fatal(err)
	}
	want := Image{
		Index: 1, Name: "Windows 11 Home", Description: `a <b> & "c" ä`, Flags: "Core", DisplayName: "Home", Bytes: 5000, Linked: 1000, Files: 100, Dirs: 20,
		Windows: Windows{"Windows", "Core", "10.0.26100"},
	}
	if len(images) != 2 || images[0] != want || images[1] != (Image{Index: 2, Name: "7"}) {
		t.Errorf("got  %+v\nwant %+v", images, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, data := range map[string][]byte{
		"nothing":          nil,
		"not UTF-16":       []byte(twoImages),
		"half a character": append(encode(twoImages), 0),
		"no XML":           encode("<WIM><IMAGE"),
		"no image":         encode("<WIM></WIM>"),
		"twice":            encode(`<WIM><IMAGE INDEX="1"/><IMAGE INDEX="1"/></WIM>`),
		"no number":        encode(`<WIM><IMAGE/></WIM>`),
		"a negative size":  encode(`<WIM><IMAGE INDEX="1"><TOTALBYTES>-1</TOTALBYTES></IMAGE></WIM>`),
		"a vast size":      encode(`<WIM><IMAGE INDEX="1"><TOTALBYTES>9000000000000000000</TOTALBYTES></IMAGE></WIM>`),
		"an entity":        encode(`<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><WIM><IMAGE INDEX="1"><NAME>&e;</NAME></IMAGE></WIM>`),
	} {
		if images, err := parse(data); err == nil {
			t.Errorf("%s: %+v", name, images)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(encode(twoImages))
	f.Add(encode(`<?xml version="1.0" encoding="x"?><WIM><IMAGE INDEX="1"/></WIM>`))
	f.Fuzz(func(t *testing.T, data []byte) {
		images, err := parse(data)
		if err != nil {
			return
		}
		for _, i := range images {
			if s := i.Size(); i.Index < 1 || s.Needed <= 0 || s.Volume < s.Needed {
				t.Errorf("%+v needs %+v", i, s)
			}
		}
	})
}

func TestChoose(t *testing.T) {
	two := []Image{{Index: 1, Name: "a"}, {Index: 2, Name: "7", Description: "seven\x1b"}}
	for wanted, index := range map[string]int{"1": 1, "2": 2, "a": 1, "7": 2} {
		if i, err := Choose(two, wanted); i.Index != index || err != nil {
			t.Errorf("%q: %+v, %v", wanted, i, err)
		}
	}
	if i, err := Choose(two[:1], ""); i.Index != 1 || err != nil {
		t.Errorf("the only one: %+v, %v", i, err)
	}
	for _, wanted := range []string{"", "3", "A"} {
		_, err := Choose(two, wanted)
		var choice *ChoiceError
		if !errors.As(err, &choice) || !strings.HasSuffix(err.Error(), "\nimage 1, \"a\"\nimage 2, \"7\": \"seven\\x1b\"") {
			t.Errorf("%q: %v", wanted, err)
		}
	}
}

// TestWatcher hands wimlib's output over in pieces of every size.
func TestWatcher(t *testing.T) {
	const output = "Scanning\nExtracting file data: 0 KiB of 5 KiB (0%) done\rExtracting file data: 4 KiB of 5 KiB (80%) done\rExtracting: (100%) done\nDone (see 50)\n"
	for size := 1; size < len(output); size++ {
		var got []int
		w := &watcher{percent: func(n int) { got = append(got, n) }}
		for piece := range slices.Chunk([]byte(output), size) {
			w.Write(piece)
		}
		got = slices.Compact(got)
		if got[len(got)-1] != 100 || !slices.IsSorted(got) || size < 20 && len(got) != 3 {
			t.Errorf("in pieces of %d bytes: %v", size, got)
		}
	}
	if got := withoutProgress(output); strings.Contains(got, "80%") || !strings.HasSuffix(got, "(100%) done\nDone (see 50)\n") {
		t.Errorf("%q", got)
	}
}

func TestFirstRecord(t *testing.T) {
	const output = "----\nFull Path           = \"/\"\nLink Count = 1\nUNIX Data           = uid:0\n----\nFull Path           = \"/a\"\nUNIX Data = x\n"
	for size := 1; size < len(output); size++ {
		enough := 0
		f := &firstRecord{enough: func() { enough++ }}
		for piece := range slices.Chunk([]byte(output), size) {
			f.Write(piece)
		}
		if !f.done || enough != 1 || !strings.Contains(string(f.text), "uid:0") || strings.Contains(string(f.text), `"/a"`) {
			t.Errorf("in pieces of %d bytes: %d times enough, %q", size, enough, f.text)
		}
	}
}
