package resize

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
)

func growXFS(ctx context.Context, v Volume, _ int64) ([]string, error) {
	return nil, v.mounted(ctx, false, func(dir string) error {
		_, err := v.run(ctx, tool.XFSGrow, "-d", dir)
		return err
	})
}

func checkXFS(ctx context.Context, v Volume) error {
	_, err := v.run(ctx, tool.XFSRepair, "-n", "-f", v.Path)
	return err
}

// xfsFeature is a switch of mkfs.xfs: the option it belongs to and its bit in
// struct xfs_dsb (xfs_format.h).
type xfsFeature struct {
	option, name string
	word         int // offset of the bit's word in the superblock
	bit          uint32
}

const (
	xfsFeatures2 = 200
	xfsReadOnly  = 212
	xfsIncompat  = 216
)

func xfsFeatures() []xfsFeature {
	return []xfsFeature{
		{"-m", "crc", xfsFeatures2, 0x100},
		{"-m", "finobt", xfsReadOnly, 0x1},
		{"-m", "rmapbt", xfsReadOnly, 0x2},
		{"-m", "reflink", xfsReadOnly, 0x4},
		{"-m", "inobtcount", xfsReadOnly, 0x8},
		{"-m", "bigtime", xfsIncompat, 0x8},
		{"-i", "sparse", xfsIncompat, 0x2},
		{"-i", "nrext64", xfsIncompat, 0x20},
		{"-n", "ftype", xfsIncompat, 0x1},
	}
}

// makeXFS names every feature, since what mkfs.xfs chooses changes with its version.
func makeXFS(ctx context.Context, v Volume, s Spec) error {
	words := map[string][]string{}
	if s.UUID != "" {
		words["-m"] = append(words["-m"], "uuid="+s.UUID)
	}
	if s.Features != nil {
		for _, f := range xfsFeatures() {
			words[f.option] = append(words[f.option], fmt.Sprintf("%s=%d", f.name, onOff(slices.Contains(s.Features, f.name))))
		}
	}
	size := func(option string, n int64) {
		if n > 0 {
			words[option] = append(words[option], fmt.Sprintf("size=%d", n))
		}
	}
	size("-b", s.BlockSize)
	size("-i", s.InodeSize)
	size("-s", int64(s.SectorSize))
	args := []string{"-q", "-f", "-K"}
	for _, o := range []string{"-b", "-s", "-m", "-i", "-n"} {
		if len(words[o]) > 0 {
			args = append(args, o, strings.Join(words[o], ","))
		}
	}
	args = option(args, "-L", s.Label)
	_, err := v.run(ctx, tool.MkfsXFS, append(args, v.Path)...)
	return err
}

func onOff(on bool) int {
	if on {
		return 1
	}
	return 0
}

// specXFS reads struct xfs_dsb (xfs_format.h).
func specXFS(r block.Reader, s *Spec) error {
	sb, err := superblock(r, 0, 512)
	if err != nil {
		return err
	}
	be := binary.BigEndian
	s.SectorSize, s.InodeSize = int(be.Uint16(sb[102:])), int64(be.Uint16(sb[104:]))
	if s.SectorSize == 0 || s.InodeSize == 0 {
		return errors.New("its superblock contradicts itself")
	}
	v5 := be.Uint16(sb[100:])&0xf == 5
	s.Features = []string{}
	for _, f := range xfsFeatures() {
		if on := be.Uint32(sb[f.word:])&f.bit != 0; on && (v5 || f.name == "crc") {
			s.Features = append(s.Features, f.name)
		}
	}
	if !v5 && be.Uint32(sb[xfsFeatures2:])&0x200 != 0 {
		s.Features = append(s.Features, "ftype") // has another bit in version 4
	}
	return nil
}
