package resize

import (
	"context"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/swap"
)

// swapMinimum is what mkswap asks for: ten pages.
func swapMinimum(_ context.Context, _ Volume, info volume.Info) (int64, error) {
	return 10 * info.BlockSize, nil
}

// resizeSwap makes the space anew with the same name, so that whoever refers to it
// finds it.
func resizeSwap(ctx context.Context, v Volume, size int64) ([]string, error) {
	s, err := v.spec(ctx)
	if err != nil {
		return nil, err
	}
	return nil, mkswap(ctx, v, s, size)
}

func makeSwap(ctx context.Context, v Volume, s Spec) error {
	size, err := sizeOf(v.Path)
	if err != nil {
		return err
	}
	return mkswap(ctx, v, s, size)
}

func mkswap(ctx context.Context, v Volume, s Spec, size int64) error {
	args := []string{"--force"}
	args = option(args, "--uuid", s.UUID)
	args = option(args, "--label", s.Label)
	args = number(args, "--pagesize", s.BlockSize)
	_, err := v.run(ctx, tool.Mkswap, append(args, v.Path, strconv.FormatInt(size>>10, 10))...)
	return err
}

// checkSwap looks at the header; there is nothing else.
func checkSwap(ctx context.Context, v Volume) error {
	_, err := v.look(ctx, swap.New())
	return err
}

func specSwap(block.Reader, *Spec) error { return nil }
