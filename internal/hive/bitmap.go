package hive

import "math/bits"

// bitmap is a set of small numbers.
type bitmap []uint64

func newBitmap(n uint32) bitmap { return make(bitmap, (n+63)/64) }

func (b bitmap) has(i uint32) bool { return int(i/64) < len(b) && b[i/64]>>(i%64)&1 != 0 }

func (b bitmap) add(i uint32) { b[i/64] |= 1 << (i % 64) }

func (b bitmap) remove(i uint32) { b[i/64] &^= 1 << (i % 64) }

// before returns the largest number in b that is less than i and not less than
// least.
func (b bitmap) before(i, least uint32) (uint32, bool) {
	for i > least {
		i--
		if word := b[i/64] << (63 - i%64); word != 0 {
			found := i - uint32(bits.LeadingZeros64(word))
			return found, found >= least
		}
		i -= i % 64
	}
	return 0, false
}
