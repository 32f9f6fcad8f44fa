package btrfs

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, New()) }

// FuzzBtrfs mutates below the checksums, FuzzSealed above them.
func FuzzBtrfs(f *testing.F) { volumetest.Fuzz(f, New()) }

// FuzzSealed gives every superblock and tree block the right checksum before it
// is parsed, so that mutations get past it.
func FuzzSealed(f *testing.F) { volumetest.Fuzz(f, sealedFormat{New()}) }

type sealedFormat struct{ volume.Format }

func (s sealedFormat) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	return s.Format.Open(ctx, seal(r))
}

// sealed is a volume whose checksums are right whatever it holds.
type sealed struct {
	block.Reader
	sum      checksum
	nodeSize int
}

// seal takes the checksum type and the node size from the first superblock.
func seal(r block.Reader) block.Reader {
	p := make([]byte, superSize)
	if err := block.ReadFull(r, p, superOffsets[0]); err != nil {
		return r
	}
	sum, ok := checksumOf(binary.LittleEndian.Uint16(p[superChecksumType:]))
	node := binary.LittleEndian.Uint32(p[superNodeSize:])
	if !ok || node < superSize || node > 64<<10 {
		return r
	}
	return &sealed{r, sum, int(node)}
}

func (s *sealed) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.Reader.ReadAt(p, off)
	if n == superSize && string(p[superMagic:superMagic+len(magic)]) == magic {
		s.sum(p[:0], p[checksumSize:])
		return n, err
	}
	for rest := p[:n]; len(rest) >= s.nodeSize; rest = rest[s.nodeSize:] {
		s.sum(rest[:0], rest[checksumSize:s.nodeSize])
	}
	return n, err
}
