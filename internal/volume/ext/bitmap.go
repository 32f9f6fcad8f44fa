package ext

import (
	"encoding/binary"
	"iter"
	"math/bits"
)

// bitmap is a block bitmap: bit 0 is the lowest of byte 0, a set bit is in use.
// Its length is a multiple of eight bytes.
type bitmap []byte

// set sets the bits [from, to).
func (b bitmap) set(from, to uint64) {
	for i := from; i < to; i++ {
		b[i/8] |= 1 << (i % 8)
	}
}

// runs yields every longest run [from, to) of set bits among the first n.
func (b bitmap) runs(n uint64) iter.Seq2[uint64, uint64] {
	return func(yield func(from, to uint64) bool) {
		for at := uint64(0); ; {
			from := b.next(at, n, 0)
			if from >= n {
				return
			}
			at = b.next(from, n, ^uint64(0))
			if !yield(from, at) {
				return
			}
		}
	}
}

// next finds the first bit in [from, n) that is set after its word was XORed
// with flip; n when there is none.
func (b bitmap) next(from, n, flip uint64) uint64 {
	skip := ^uint64(0) << (from % 64)
	for at := from &^ 63; at < n; at += 64 {
		word := (binary.LittleEndian.Uint64(b[at/8:]) ^ flip) & skip
		if word != 0 {
			return min(n, at+uint64(bits.TrailingZeros64(word)))
		}
		skip = ^uint64(0)
	}
	return n
}
