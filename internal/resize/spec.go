package resize

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Spec is what a volume is made by. A field that is zero is left to the program
// that makes it, so a Spec of a Kind alone is a volume as anybody would make it.
type Spec struct {
	Kind  string `json:"kind"`            // as volume.Info.Kind
	UUID  string `json:"uuid,omitempty"`  // in the spelling of volume.Info.UUID
	Label string `json:"label,omitempty"` // UTF-8

	Size       int64 `json:"size,omitempty"`       // bytes of the volume that SpecOf read; Make fills what it is given
	SectorSize int   `json:"sectorSize,omitempty"` // logical, of the disk; bytes
	Start      int64 `json:"-"`                    // of the partition on its disk, in sectors; NTFS and FAT say it in their boot sector

	BlockSize   int64 `json:"blockSize,omitempty"`   // unit of allocation, bytes
	ClusterSize int64 `json:"clusterSize,omitempty"` // ext with bigalloc, bytes
	NodeSize    int64 `json:"nodeSize,omitempty"`    // btrfs: of a tree block, bytes
	InodeSize   int64 `json:"inodeSize,omitempty"`   // ext, XFS; bytes
	InodeRatio  int64 `json:"inodeRatio,omitempty"`  // ext: bytes of volume for each inode
	Reserved    int64 `json:"reserved,omitempty"`    // ext: blocks for root, in 1/1000 of all; -1: none

	// Features are the optional ones that are on, in the words of the program that
	// makes the volume; those it knows and that are not here are off. Nil: its choice.
	Features []string `json:"features,omitempty"`

	// Boot is the code in the boot sectors of NTFS, which starts Windows on a machine
	// with BIOS, or nil. The fields in it mean nothing.
	Boot []byte `json:"boot,omitempty"`
}

var (
	wordly = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)
	hexly  = regexp.MustCompile(`^[0-9A-Fa-f-]{8,36}$`)
)

// Valid reports what of s must not come near a program. A Spec may come out of an
// image, which nobody has to trust.
func (s Spec) Valid() error {
	switch {
	case s.UUID != "" && !hexly.MatchString(s.UUID):
		return fmt.Errorf("%q is no UUID", s.UUID)
	case strings.ContainsFunc(s.Label, unicode.IsControl) || len(s.Label) > 1024:
		return fmt.Errorf("%q is no label", s.Label)
	case len(s.Boot) > bootBytes:
		return fmt.Errorf("%d bytes of boot code", len(s.Boot))
	case s.Reserved < -1 || s.Reserved > 500:
		return fmt.Errorf("%d/1000 of the blocks are not a share for root", s.Reserved)
	}
	for _, n := range []int64{int64(s.SectorSize), s.BlockSize, s.ClusterSize, s.NodeSize, s.InodeSize} {
		if n < 0 || n > 1<<30 || n&(n-1) != 0 {
			return fmt.Errorf("%d bytes are not a size of blocks", n)
		}
	}
	for _, n := range []int64{s.Start, s.Size, s.InodeRatio} {
		if n < 0 {
			return fmt.Errorf("%d is not possible", n)
		}
	}
	if i := slices.IndexFunc(s.Features, func(f string) bool { return !wordly.MatchString(f) }); i >= 0 {
		return fmt.Errorf("%q is no feature", s.Features[i])
	}
	return nil
}

// SpecOf reads what a volume was made by. What no program could make again, and
// nothing depends on, is left out: features that were added by later programs,
// the number of allocation groups, the size of a journal.
func SpecOf(ctx context.Context, r block.Reader, kind string) (Spec, error) {
	how, err := surgeryOf(kind, Making)
	if err != nil {
		return Spec{}, err
	}
	s, err := how.read(ctx, r, kind)
	if err != nil {
		return Spec{}, fmt.Errorf("read what the volume of %s was made by: %w", kind, err)
	}
	return s, nil
}

// read is a Spec with what every format tells, and what spec adds to it.
func (how surgery) read(ctx context.Context, r block.Reader, kind string) (Spec, error) {
	opened, err := how.format.Open(ctx, r)
	if err != nil {
		return Spec{}, err
	}
	info := opened.Info()
	if info.Kind != kind {
		return Spec{}, fmt.Errorf("it is %s", info.Kind)
	}
	s := Spec{Kind: kind, UUID: info.UUID, Label: info.Label, Size: info.Size, BlockSize: info.BlockSize}
	if err := how.spec(r, &s); err != nil {
		return Spec{}, err
	}
	return s, s.Valid()
}

// named returns the names whose bits are set.
func named(bits uint64, names map[uint64]string) []string {
	var on []string
	for bit, name := range names {
		if bits&bit != 0 {
			on = append(on, name)
		}
	}
	slices.Sort(on)
	return on
}

// superblock reads n bytes that describe a volume.
func superblock(r block.Reader, off int64, n int) ([]byte, error) {
	p := make([]byte, n)
	if err := block.ReadFull(r, p, off); err != nil {
		return nil, fmt.Errorf("superblock: %w", err)
	}
	return p, nil
}
