// Package pack is the format of a pack: an immutable object of many compressed
// chunks in the order in which they lie on the disk.
//
// It owns the byte layout in both directions (Builder, Parse), the compression
// of frames (Encoder, Decoder), and the value that says where a chunk lies
// (Location). It does no I/O and checks every number before it is used;
// doc/format.md is the normative text.
//
// A pack is a header, frames, a table of contents, a trailer. A frame is one
// compressed piece that holds one or more whole chunks. Several chunks in a
// frame compress better and faster than each by itself; a frame is small enough
// that reading it for one of its chunks costs little.
package pack

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

const (
	magic    = "ingotpk1" // 8 bytes, then hash id u8, 3 zero bytes, u32 nonce, which means nothing
	endMagic = "ingotpkE"

	HeaderSize  = 16
	frameEntry  = 16 // u32 stored length, u32 plain length, u32 chunks, u8 codec, 3 zero bytes
	chunkEntry  = 36 // ID, u32 length
	TrailerSize = 24 // u32 frames, u32 chunks, u32 CRC-32C of the table, u32 zero, end magic

	// FramePlain is how many plain bytes a frame is filled to before it is
	// closed; a frame has at most this plus one chunk.
	FramePlain = 512 << 10
	// Target is the size, table of contents included, at which a pack is closed.
	Target = 16 << 20

	MaxPlain = 32 << 20 // refused beyond, whatever a table says
	MaxSize  = 64 << 20
	maxTOC   = Target + 2<<20 // so that a table takes less than 64 MiB to parse
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Frame is one entry of a pack's table of contents.
type Frame struct {
	Offset uint32 // of the stored bytes in the pack
	Stored uint32 // length in the pack
	Plain  uint32 // length unpacked
	Codec  Codec
	Chunks []Chunk
}

// Chunk is one chunk in a frame.
type Chunk struct {
	ID     chunk.ID
	Offset uint32 // in the frame's plain bytes
	Length uint32
}

// Builder collects frames until the pack is closed. Begin with Reset.
type Builder struct {
	data   []byte
	frames []Frame
	chunks int
}

// Reset begins an empty pack in the given memory, which the Builder owns and may outgrow.
func (b *Builder) Reset(hash chunk.Hash, memory []byte) {
	b.data = append(memory[:0], magic...)
	b.data = append(b.data, byte(hash), 0, 0, 0, 0, 0, 0, 0)
	b.frames, b.chunks = nil, 0
}

// Size is how long the pack would be now.
func (b *Builder) Size() int {
	return len(b.data) + len(b.frames)*frameEntry + b.chunks*chunkEntry + TrailerSize
}

// Chunks is how many chunks are in it.
func (b *Builder) Chunks() int { return b.chunks }

// Frames lists what is in it, in order.
func (b *Builder) Frames() []Frame { return b.frames }

// Bytes is the pack's memory; after Finish, the pack.
func (b *Builder) Bytes() []byte { return b.data }

// AddFrame appends the frame that holds the given chunks, whose plain bytes
// follow each other in plain, and returns its entry. chunks is kept.
func (b *Builder) AddFrame(enc *Encoder, plain []byte, chunks []Chunk) Frame {
	at := len(b.data)
	var codec Codec
	b.data, codec = enc.Encode(b.data, plain)
	f := Frame{uint32(at), uint32(len(b.data) - at), uint32(len(plain)), codec, chunks}
	b.frames = append(b.frames, f)
	b.chunks += len(chunks)
	return f
}

// Finish appends the table of contents and the trailer and returns the object.
func (b *Builder) Finish() []byte {
	toc := len(b.data)
	le := binary.LittleEndian
	for _, f := range b.frames {
		b.data = le.AppendUint32(b.data, f.Stored)
		b.data = le.AppendUint32(b.data, f.Plain)
		b.data = le.AppendUint32(b.data, uint32(len(f.Chunks)))
		b.data = append(b.data, byte(f.Codec), 0, 0, 0)
	}
	for _, f := range b.frames {
		for _, c := range f.Chunks {
			b.data = append(b.data, c.ID[:]...)
			b.data = le.AppendUint32(b.data, c.Length)
		}
	}
	sum := crc32.Checksum(b.data[toc:], castagnoli)
	b.data = le.AppendUint32(b.data, uint32(len(b.frames)))
	b.data = le.AppendUint32(b.data, uint32(b.chunks))
	b.data = le.AppendUint32(b.data, sum)
	b.data = le.AppendUint32(b.data, 0)
	return append(b.data, endMagic...)
}

// Trailer is what the last bytes of a pack say.
type Trailer struct {
	frames, chunks uint32
	sum            uint32
}

func (t Trailer) TOCSize() int64 {
	return int64(t.frames)*frameEntry + int64(t.chunks)*chunkEntry
}

// ParseTrailer reads the trailer of a pack of the given size.
func ParseTrailer(b []byte, size int64) (Trailer, error) {
	le := binary.LittleEndian
	if len(b) != TrailerSize || string(b[16:]) != endMagic {
		return Trailer{}, errors.New("no trailer at its end")
	}
	t := Trailer{frames: le.Uint32(b), chunks: le.Uint32(b[4:]), sum: le.Uint32(b[8:])}
	if size > MaxSize || t.TOCSize() > min(maxTOC, size-HeaderSize-TrailerSize) || t.frames > t.chunks {
		return Trailer{}, fmt.Errorf("trailer tells of %d frames and %d chunks in %d bytes", t.frames, t.chunks, size)
	}
	return t, nil
}

// ParseTOC reads the table of contents of a pack of the given size and checks
// that frames fill the space before it and chunks fill their frames.
func ParseTOC(b []byte, t Trailer, size int64) ([]Frame, error) {
	if int64(len(b)) != t.TOCSize() || crc32.Checksum(b, castagnoli) != t.sum {
		return nil, errors.New("table of contents fails its checksum")
	}
	le := binary.LittleEndian
	entries, ids := b[:t.frames*frameEntry], b[t.frames*frameEntry:]
	frames := make([]Frame, 0, t.frames)
	at, end := int64(HeaderSize), size-TrailerSize-t.TOCSize()
	for ; len(entries) > 0; entries = entries[frameEntry:] {
		f := Frame{Offset: uint32(at), Stored: le.Uint32(entries), Plain: le.Uint32(entries[4:]), Codec: Codec(entries[12])}
		n := int64(le.Uint32(entries[8:]))
		if int64(f.Stored) > end-at || f.Plain > MaxPlain || n == 0 || n*chunkEntry > int64(len(ids)) || !f.Codec.Known() {
			return nil, fmt.Errorf("frame %d of the table of contents is not possible", len(frames))
		}
		var err error
		if f.Chunks, err = parseChunks(ids[:n*chunkEntry], f.Plain); err != nil {
			return nil, fmt.Errorf("frame %d: %w", len(frames), err)
		}
		ids = ids[n*chunkEntry:]
		at += int64(f.Stored)
		frames = append(frames, f)
	}
	if at != end || len(ids) != 0 {
		return nil, errors.New("table of contents does not fill the pack")
	}
	return frames, nil
}

func parseChunks(b []byte, plain uint32) ([]Chunk, error) {
	chunks := make([]Chunk, 0, len(b)/chunkEntry)
	var at uint64
	for ; len(b) > 0; b = b[chunkEntry:] {
		c := Chunk{ID: chunk.ID(b[:32]), Offset: uint32(at), Length: binary.LittleEndian.Uint32(b[32:])}
		at += uint64(c.Length)
		if c.Length == 0 || at > uint64(plain) {
			return nil, fmt.Errorf("chunk %s lies outside it", c.ID.Short())
		}
		chunks = append(chunks, c)
	}
	if at != uint64(plain) {
		return nil, errors.New("chunks do not fill it")
	}
	return chunks, nil
}

var errNoHeader = errors.New("no pack header at its start")

// CheckHeader checks the header of a pack of a store that uses hash.
func CheckHeader(b []byte, hash chunk.Hash) error {
	if len(b) < HeaderSize || string(b[:8]) != magic {
		return errNoHeader
	}
	if got := chunk.Hash(b[8]); got != hash {
		return fmt.Errorf("header says %v, the store uses %v", got, hash)
	}
	return nil
}

// Parse reads the table of contents of a whole pack in memory.
func Parse(b []byte) ([]Frame, error) {
	if len(b) < HeaderSize+TrailerSize || string(b[:8]) != magic {
		return nil, errNoHeader
	}
	size := int64(len(b))
	t, err := ParseTrailer(b[size-TrailerSize:], size)
	if err != nil {
		return nil, err
	}
	return ParseTOC(b[size-TrailerSize-t.TOCSize():size-TrailerSize], t, size)
}
