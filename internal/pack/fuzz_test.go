package pack

import (
	"encoding/binary"
	"hash/crc32"
	"testing"
)

// reseal gives a pack the checksum that fits its table of contents, as far as the
// trailer lets it be found.
func reseal(data []byte) {
	if len(data) < HeaderSize+TrailerSize {
		return
	}
	end := len(data) - TrailerSize
	t, err := ParseTrailer(data[end:], int64(len(data)))
	if err != nil {
		return
	}
	toc := data[int64(end)-t.TOCSize() : end]
	binary.LittleEndian.PutUint32(data[end+8:], crc32.Checksum(toc, castagnoli))
}

// FuzzParse changes packs whose checksum is then made to fit, so that what lies
// behind it is reached: no panic, nothing outside the pack, and every frame that
// can be unpacked has the length its entry says.
func FuzzParse(f *testing.F) {
	for _, frames := range [][][][]byte{
		nil,
		{{noise(1, 300), noise(2, 200)}, {text(400)}},
		{{text(2000), text(100)}},
	} {
		data, _ := build(f, frames...)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		reseal(data)
		frames, err := Parse(data)
		if err != nil {
			return
		}
		dec, err := NewDecoder()
		if err != nil {
			t.Fatal(err)
		}
		defer dec.Close()
		for _, fr := range frames {
			plain, err := dec.Decode(nil, data[fr.Offset:fr.Offset+fr.Stored], fr.Codec, fr.Plain)
			if err == nil && len(plain) != int(fr.Plain) {
				t.Fatalf("%+v unpacks to %d bytes", fr, len(plain))
			}
			checkChunks(t, fr)
		}
	})
}

// checkChunks checks that a frame's chunks fill it and can be read.
func checkChunks(t *testing.T, f Frame) {
	at := uint32(0)
	for _, c := range f.Chunks {
		loc := Location{Offset: f.Offset, Stored: f.Stored, Plain: f.Plain, Codec: f.Codec, Inside: c.Offset, Length: c.Length}
		if c.Offset != at || !loc.Possible() {
			t.Fatalf("chunk %+v of frame %+v is not possible", c, f)
		}
		at += c.Length
	}
	if at != f.Plain {
		t.Fatalf("chunks of frame %+v end at %d", f, at)
	}
}
