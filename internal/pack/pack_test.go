package pack

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

const hash = chunk.BLAKE3

// build makes a pack of frames that are given by their chunks, and returns it
// with its table of contents.
func build(t testing.TB, frames ...[][]byte) ([]byte, []Frame) {
	t.Helper()
	enc, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	var b Builder
	b.Reset(hash, nil)
	for _, chunks := range frames {
		var plain []byte
		var entries []Chunk
		for _, c := range chunks {
			entries = append(entries, Chunk{hash.Sum(c), uint32(len(plain)), uint32(len(c))})
			plain = append(plain, c...)
		}
		b.AddFrame(enc, plain, entries)
	}
	return b.Finish(), b.Frames()
}

// unpack returns the chunks of a pack, each checked against its ID.
func unpack(t testing.TB, data []byte) (chunks [][]byte) {
	t.Helper()
	frames, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	for _, f := range frames {
		plain, err := dec.Decode(nil, data[f.Offset:f.Offset+f.Stored], f.Codec, f.Plain)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range f.Chunks {
			part := plain[c.Offset : c.Offset+c.Length]
			if hash.Sum(part) != c.ID {
				t.Errorf("chunk %s has other bytes", c.ID.Short())
			}
			chunks = append(chunks, slices.Clone(part))
		}
	}
	return chunks
}

// noise cannot be compressed, text can.
func noise(seed uint64, n int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed)})
	b := make([]byte, n)
	r.Read(b)
	return b
}

func text(n int) []byte { return bytes.Repeat([]byte("ingot keeps disks. "), n/19+1)[:n] }

func TestRoundTrip(t *testing.T) {
	for name, frames := range map[string][][][]byte{
		"empty":       nil,
		"one byte":    {{{7}}},
		"noise":       {{noise(1, 70000), noise(2, 16384)}, {noise(3, 1)}},
		"text":        {{text(100000), text(5), text(300000)}},
		"both":        {{text(65536), noise(4, 4096)}, {noise(5, 300000)}, {text(9)}},
		"many chunks": {slices.Collect(slices.Chunk(noise(6, 50000), 13))},
	} {
		t.Run(name, func(t *testing.T) {
			data, made := build(t, frames...)
			if got, want := unpack(t, data), slices.Concat(frames...); !slices.EqualFunc(got, want, bytes.Equal) {
				t.Errorf("%d chunks came out of %d", len(got), len(want))
			}
			read, err := Parse(data)
			if err != nil {
				t.Fatal(err)
			}
			same := func(a, b Frame) bool {
				return a.Offset == b.Offset && a.Stored == b.Stored && a.Plain == b.Plain && a.Codec == b.Codec && slices.Equal(a.Chunks, b.Chunks)
			}
			if !slices.EqualFunc(read, made, same) {
				t.Errorf("table of contents: read %+v, made %+v", read, made)
			}
			if CheckHeader(data, hash) != nil || CheckHeader(data, chunk.SHA256) == nil || CheckHeader(data[:8], hash) == nil {
				t.Error("the header is not told from another")
			}
		})
	}
}

func TestCodecs(t *testing.T) {
	data, frames := build(t, [][]byte{noise(1, 50000)}, [][]byte{text(50000)})
	if frames[0].Codec != Stored || frames[0].Stored != 50000 || frames[1].Codec != Zstd || frames[1].Stored > 500 {
		t.Errorf("noise and text are stored as %+v", frames)
	}
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	f := frames[1]
	stored := data[f.Offset : f.Offset+f.Stored]
	for name, fails := range map[string]func() ([]byte, error){
		"another length":   func() ([]byte, error) { return dec.Decode(nil, stored, Zstd, f.Plain-1) },
		"another codec":    func() ([]byte, error) { return dec.Decode(nil, stored, Codec(9), f.Plain) },
		"not compressed":   func() ([]byte, error) { return dec.Decode(nil, noise(1, 100), Zstd, 100) },
		"cut off":          func() ([]byte, error) { return dec.Decode(nil, stored[:len(stored)-1], Zstd, f.Plain) },
		"stored, too long": func() ([]byte, error) { return dec.Decode(nil, stored, Stored, f.Plain) },
	} {
		if out, err := fails(); err == nil {
			t.Errorf("%s: unpacked to %d bytes", name, len(out))
		}
	}
}

// What expands to more than a frame may hold is refused before it is unpacked.
func TestBomb(t *testing.T) {
	enc, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	bomb, _ := enc.Encode(nil, make([]byte, MaxPlain+1<<20))
	dec, err := NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	if _, err := dec.Decode(nil, bomb, Zstd, MaxPlain); err == nil {
		t.Errorf("%d bytes expand to more than %d", len(bomb), MaxPlain)
	}
}

// TestGolden reads a pack that the first version wrote. Frames that are not
// compressed are written as then, byte for byte.
func TestGolden(t *testing.T) {
	golden := filepath.Join("testdata", "golden-v1.pack")
	frames := [][][]byte{{text(5000), noise(1, 300)}, {noise(2, 2000)}}
	if os.Getenv("INGOT_UPDATE") == "1" {
		data, _ := build(t, frames...)
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got := unpack(t, data); !slices.EqualFunc(got, slices.Concat(frames...), bytes.Equal) {
		t.Error("the golden pack holds other chunks than it did")
	}
	stored, _ := build(t, [][]byte{noise(1, 300), noise(2, 40)}, [][]byte{noise(3, 4096)})
	const want = "07b8be9bca3609de4a7bfc462e0ff131c0559fdef05d277c6f571f98c9c9276f"
	if got := hash.Sum(stored).String(); got != want {
		t.Errorf("a pack of the same chunks is %s, want %s", got, want)
	}
}

// Size counts the table of contents, which may be the larger part.
func TestSize(t *testing.T) {
	enc, err := NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	var b Builder
	b.Reset(hash, nil)
	for range 3 {
		b.AddFrame(enc, text(100), slices.Repeat([]Chunk{{Length: 1}}, 100))
		want := b.Size()
		if c := b; len(c.Finish()) != want {
			t.Errorf("a pack of %d bytes says it has %d", len(c.Bytes()), want)
		}
	}
}

// A table of contents that was changed and given a new checksum must still fit.
func TestHostileTables(t *testing.T) {
	data, _ := build(t, [][]byte{noise(1, 300), noise(2, 200)}, [][]byte{noise(3, 100)})
	toc := HeaderSize + 600
	for name, at := range map[string]int{
		"stored length": toc, "plain length": toc + 4, "number of chunks": toc + 8, "codec": toc + 12,
		"chunk length": toc + 2*frameEntry + 32, "number of frames": len(data) - TrailerSize, "all chunks": len(data) - TrailerSize + 4,
	} {
		for _, value := range []byte{0, 1, 0xff} {
			hostile := slices.Clone(data)
			if hostile[at] == value || name == "codec" && value == byte(Zstd) {
				continue
			}
			hostile[at] = value
			reseal(hostile)
			if frames, err := Parse(hostile); err == nil {
				t.Errorf("%s %d: parsed as %+v", name, value, frames)
			}
		}
	}
}
