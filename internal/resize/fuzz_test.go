package resize

import (
	"errors"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// head is the start of a volume that goes on as zeros.
type head struct {
	data []byte
	size int64
}

func (h *head) Size() int64 { return h.size }
func (h *head) Sync() error { return nil }

func (h *head) ReadAt(p []byte, off int64) (int, error) {
	clear(p)
	if off < int64(len(h.data)) {
		copy(p, h.data[off:])
	}
	return len(p), nil
}

func (h *head) WriteAt(p []byte, off int64) (int, error) {
	if off < 0 || off+int64(len(p)) > h.size {
		return 0, errors.New("written outside")
	}
	if off < int64(len(h.data)) {
		copy(h.data[off:], p)
	}
	return len(p), nil
}

func starts(f *testing.F, n int) {
	for _, x := range variants() {
		v := Volume{Path: mkfs(f, x), Kind: x.kind}
		p, err := superblock(volumetest.Open(f, v.Path), 0, n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
}

// FuzzSpecOf reads superblocks: whatever they say, the Spec is Valid or refused.
func FuzzSpecOf(f *testing.F) {
	starts(f, btrfsSuper+4096)
	f.Fuzz(func(t *testing.T, data []byte) {
		r := &head{data, 1 << 32}
		for _, read := range []func(block.Reader, *Spec) error{specExt, specXFS, specBtrfs, specNTFS, specFAT, specExFAT} {
			s := Spec{Kind: "any", BlockSize: 4096, Size: 1 << 32}
			if err := read(r, &s); err != nil {
				continue
			}
			for _, word := range s.Features {
				if !wordly.MatchString(word) {
					t.Errorf("feature %q", word)
				}
			}
		}
	})
}

// FuzzGrowFAT grows whatever passes for FAT: nothing is read or written outside.
func FuzzGrowFAT(f *testing.F) {
	starts(f, 16<<10)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []string{"fat12", "fat16", "fat32"} {
			d := &head{append([]byte{}, data...), 1 << 26}
			_ = growTables(t.Context(), d, kind, d.size)
		}
	})
}

// FuzzBootSectors moves whatever passes for a boot sector.
func FuzzBootSectors(f *testing.F) {
	starts(f, 16<<10)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, move := range []func(block.Writer, int64) error{moveNTFS, moveFAT, moveExFAT, endNTFS} {
			d := &head{append([]byte{}, data...), 1 << 26}
			_ = move(d, 1<<25)
		}
	})
}
