package chunk

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
)

// Grid is the distance between places where a chunk may start or end, counted
// from the start of the volume: file systems lay out file data on it.
const Grid = 4096

// looked is how much of a block decides whether a chunk ends behind it. The
// first 64 bytes cut as well as the whole block does, and cost nothing.
const looked = 64

// Params are the sizes chunks may have, in bytes, multiples of Grid.
type Params struct {
	Min  int `json:"min"`
	Mean int `json:"mean"`
	Max  int `json:"max"`
}

// DefaultParams is what a new store uses; doc/decisions/0003-chunks-and-frames.md has the measurements.
var DefaultParams = Params{Min: 16 << 10, Mean: 64 << 10, Max: 256 << 10}

// Valid checks parameters that come from a store.
func (p Params) Valid() error {
	if p.Min < Grid || p.Mean <= p.Min || p.Max < p.Mean || p.Max > 16<<20 || (p.Min|p.Mean|p.Max)%Grid != 0 {
		return fmt.Errorf("chunk sizes min %d, mean %d, max %d are not possible", p.Min, p.Mean, p.Max)
	}
	return nil
}

// zeroBlock is compared against.
var zeroBlock [Grid]byte

// Next returns how many bytes at the start of data make the next chunk, and
// whether it is a run of zeros. data is a run of used bytes that starts on the
// grid; len(data) > 0. Runs of at least Min zeros are chunks of their own, of
// any length; all others end
//
//   - behind a block whose first 64 bytes mix to a value below the threshold, at Min or later;
//   - at Max;
//   - before a run of at least Min zeros;
//   - at the end of data.
func (p Params) Next(data []byte) (n int, zero bool) {
	if z := zeroRun(data, len(data)); z >= p.Min || z == len(data) {
		return z, true
	}
	threshold := math.MaxUint64 / uint64((p.Mean-p.Min)/Grid)
	for n < len(data) {
		block := data[n:min(n+Grid, len(data))]
		if n > 0 && isZero(block) && zeroRun(data[n:], p.Min) >= p.Min {
			return n, false
		}
		n += len(block)
		if n >= p.Max || n >= p.Min && mix(block) < threshold {
			return n, false
		}
	}
	return n, false
}

// zeroRun is the length of the run of zero blocks that data starts with; it
// stops looking once most bytes are found.
func zeroRun(data []byte, most int) int {
	n := 0
	for n < len(data) && n < most && isZero(data[n:min(n+Grid, len(data))]) {
		n += min(Grid, len(data)-n)
	}
	return n
}

func isZero(block []byte) bool {
	return block[0] == 0 && block[len(block)-1] == 0 && bytes.Equal(block, zeroBlock[:len(block)])
}

// mix folds the first 64 bytes of a block into 64 well-distributed bits. Its
// constants are those of splitmix64; they are frozen.
func mix(block []byte) uint64 {
	if len(block) < looked {
		return math.MaxUint64
	}
	h := uint64(0x9E3779B97F4A7C15)
	for i := 0; i < looked; i += 8 {
		h ^= binary.LittleEndian.Uint64(block[i:])
		h *= 0xBF58476D1CE4E5B9
		h ^= h >> 29
	}
	h *= 0x94D049BB133111EB
	return h ^ h>>32
}
