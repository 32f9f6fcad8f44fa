package resize

import (
	"context"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
)

func checkFAT(ctx context.Context, v Volume) error {
	_, err := v.run(ctx, tool.FsckFAT, "-n", v.Path)
	return err
}

// makeFAT: the width of the table is given, since by the size alone mkfs.fat
// might choose another.
func makeFAT(ctx context.Context, v Volume, s Spec) error {
	args := []string{"-F", strings.TrimPrefix(s.Kind, "fat"), "-h", strconv.FormatInt(hidden(s.Start), 10)}
	args = option(args, "-i", strings.ReplaceAll(s.UUID, "-", ""))
	args = option(args, "-n", s.Label)
	args = number(args, "-S", int64(s.SectorSize))
	if s.BlockSize > 0 {
		args = number(args, "-s", max(1, s.BlockSize/int64(max(512, s.SectorSize))))
	}
	_, err := v.run(ctx, tool.MkfsFAT, append(args, v.Path)...)
	return err
}

func specFAT(r block.Reader, s *Spec) error {
	b, err := readFATBoot(r)
	s.SectorSize = len(b.sector)
	return err
}
