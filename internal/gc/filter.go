package gc

import (
	"hash/maphash"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// filter is a Bloom filter of chunk IDs: has is never wrong about a chunk that
// was added, and sometimes says yes about another, which then stays in the store
// until the next clean-up, whose filter has another seed.
//
// With 64 bits a chunk about one chunk in ten million stays by mistake, with the
// 10 bits that a store of more than a million chunks gets, one in a hundred.
type filter struct {
	seed maphash.Seed
	bits []uint64
}

const (
	filterHashes = 7
	generousBits = 1 << 26 // 8 MiB: what a store may have for 64 bits a chunk
	minBits      = 1 << 16
	maxBits      = 1 << 30 // 128 MiB: 10 bits for each of the chunks of about 7 TiB
)

// newFilter makes a filter for about n chunks.
func newFilter(n int64) *filter {
	bits := max(10*n, min(64*n, generousBits))
	bits = min(max(bits, minBits), maxBits)
	return &filter{maphash.MakeSeed(), make([]uint64, (bits+63)/64)}
}

func (f *filter) add(id chunk.ID) {
	f.each(id, func(word, bit uint64) bool {
		f.bits[word] |= bit
		return true
	})
}

func (f *filter) has(id chunk.ID) bool {
	found := true
	f.each(id, func(word, bit uint64) bool {
		found = f.bits[word]&bit != 0
		return found
	})
	return found
}

// each calls yield for the places of id until it returns false.
func (f *filter) each(id chunk.ID, yield func(word, bit uint64) bool) {
	h := maphash.Bytes(f.seed, id[:])
	at, step, n := h>>32, h&(1<<32-1)|1, uint64(len(f.bits))*64
	for range filterHashes {
		p := at % n
		if !yield(p/64, 1<<(p%64)) {
			return
		}
		at += step
	}
}
