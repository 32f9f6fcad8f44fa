package pack

import (
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

// Codec is how a frame's bytes are stored, by its number in the format.
type Codec uint8

const (
	Stored Codec = 0 // as they are
	Zstd   Codec = 1 // one zstd frame
)

func (c Codec) Known() bool { return c == Stored || c == Zstd }

// Encoder compresses frames; it belongs to one goroutine.
type Encoder struct {
	zstd *zstd.Encoder
}

// NewEncoder uses the fastest level: the next one costs half as much time again
// for 5 % of size (doc/decisions/0003-chunks-and-frames.md).
func NewEncoder() (*Encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("start zstd Encoder: %w", err)
	}
	return &Encoder{z}, nil
}

// Encode appends plain, compressed where that saves at least a thirty-second,
// and says how it is stored.
func (e *Encoder) Encode(dst, plain []byte) ([]byte, Codec) {
	out := e.zstd.EncodeAll(plain, dst)
	if len(out)-len(dst) > len(plain)-len(plain)/32 {
		return append(dst, plain...), Stored
	}
	return out, Zstd
}

// Decoder unpacks frames; it belongs to one goroutine.
type Decoder struct {
	zstd *zstd.Decoder
}

func NewDecoder() (*Decoder, error) {
	z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(MaxPlain),
		zstd.WithDecoderMaxWindow(MaxPlain), zstd.WithDecoderLowmem(true))
	if err != nil {
		return nil, fmt.Errorf("start zstd Decoder: %w", err)
	}
	return &Decoder{z}, nil
}

// Close releases the memory it holds.
func (d *Decoder) Close() { d.zstd.Close() }

// Decode unpacks stored into dst's memory, which it may grow, and checks that
// exactly plain bytes come out.
func (d *Decoder) Decode(dst, stored []byte, codec Codec, plain uint32) ([]byte, error) {
	out := stored
	switch codec {
	case Stored:
	case Zstd:
		var err error
		if out, err = d.zstd.DecodeAll(stored, dst[:0]); err != nil {
			return nil, fmt.Errorf("unpack: %w", err)
		}
	default:
		return nil, fmt.Errorf("stored by codec %d, which this version does not know", codec)
	}
	if uint64(len(out)) != uint64(plain) {
		return nil, errors.New("unpacks to another length than its entry says")
	}
	return out, nil
}
