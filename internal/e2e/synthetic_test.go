package e2e

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/chunk"
)

// synthetic is a disk that holds computed bytes wherever the disk below has a
// block of zeros, so that it has gigabytes of data and takes no space. The data
// is unlike anywhere else on the disk and is cut into the smallest chunks.
type synthetic struct {
	block.Reader
	pattern [chunk.Grid]byte
}

func newSynthetic(t *testing.T, r block.Reader) *synthetic {
	s := &synthetic{Reader: r}
	rng := rand.New(rand.NewPCG(9, 0))
	p := bytes.Repeat([]byte("what a file may hold "), 200)
	copy(s.pattern[:], p)
	copy(s.pattern[1000:], random(rng, 300))
	for range 10_000 {
		copy(s.pattern[:64], random(rng, 64))
		four := make([]byte, 8*chunk.Grid)
		for i := range int64(8) {
			s.fill(four[i*chunk.Grid:][:chunk.Grid], i)
		}
		if n, _ := chunk.DefaultParams.Next(four); n == chunk.DefaultParams.Min {
			return s
		}
	}
	t.Fatal("no block that ends a chunk was found")
	return nil
}

// fill makes the block with the given number.
func (s *synthetic) fill(p []byte, number int64) {
	copy(p, s.pattern[:])
	state := uint64(number)
	for i := 1000; i < 1300; i += 8 {
		state = state*6364136223846793005 + 1442695040888963407
		binary.LittleEndian.PutUint64(p[i:], state)
	}
}

// ReadAt needs whole blocks, as the engine reads them.
func (s *synthetic) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Reader.ReadAt(p, off)
	for i := 0; i+chunk.Grid <= n; i += chunk.Grid {
		if b := p[i:][:chunk.Grid]; b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1]) {
			s.fill(b, (off+int64(i))/chunk.Grid)
		}
	}
	return n, err
}

// sink is a target that remembers of blocks of a synthetic disk only that they
// are right. All others are in a sparse file.
type sink struct {
	*blocktest.Memory // for what else a Device can do; it stays empty
	file              *os.File
	source            *synthetic

	mu    sync.Mutex
	right map[int64]*[1024]uint64 // bits of blocks, by number/65536
}

func (s *sink) bit(number int64) (word *uint64, mask uint64) {
	group := s.right[number>>16]
	if group == nil {
		group = new([1024]uint64)
		s.right[number>>16] = group
	}
	return &group[number>>6&1023], 1 << (number & 63)
}

func (s *sink) WriteAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var want [chunk.Grid]byte
	for i := 0; i < len(p); {
		at := off + int64(i)
		n := min(chunk.Grid-int(at%chunk.Grid), len(p)-i)
		word, mask := s.bit(at / chunk.Grid)
		*word &^= mask
		if s.source.fill(want[:], at/chunk.Grid); n == chunk.Grid && bytes.Equal(p[i:i+n], want[:]) {
			*word |= mask
		} else if _, err := s.file.WriteAt(p[i:i+n], at); err != nil {
			return i, err
		}
		i += n
	}
	return len(p), nil
}

// Zero writes: a deploy zeroes only the edges of a volume without zeros.
func (s *sink) Zero(off, n int64) error {
	_, err := s.WriteAt(make([]byte, n), off)
	return err
}

func (s *sink) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.file.ReadAt(p, off)
	s.mu.Lock()
	defer s.mu.Unlock()
	var b [chunk.Grid]byte
	for i := 0; i < n; {
		at := off + int64(i)
		within := int(at % chunk.Grid)
		m := min(chunk.Grid-within, n-i)
		if group := s.right[at/chunk.Grid>>16]; group != nil && group[at/chunk.Grid>>6&1023]&(1<<(at/chunk.Grid&63)) != 0 {
			s.source.fill(b[:], at/chunk.Grid)
			copy(p[i:i+m], b[within:])
		}
		i += m
	}
	return n, err
}
