package resize

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/btrfs"
)

func growBtrfs(ctx context.Context, v Volume, _ int64) ([]string, error) {
	return nil, v.mounted(ctx, false, func(dir string) error { return v.resizeBtrfs(ctx, dir, "max") })
}

// resizeBtrfs resizes the only device, whose number need not be 1.
func (v Volume) resizeBtrfs(ctx context.Context, dir, size string) error {
	d, err := openDisk(v.Path)
	if err != nil {
		return err
	}
	defer d.Close()
	sb, err := superblock(d, btrfsSuper, 4096)
	if err != nil {
		return err
	}
	device := binary.LittleEndian.Uint64(sb[btrfsDevice:])
	_, err = v.run(ctx, tool.Btrfs, "filesystem", "resize", fmt.Sprintf("%d:%s", device, size), dir)
	return err
}

// btrfsUse is a line of 'btrfs filesystem df': what is allocated for one type of
// data, and used.
var btrfsUse = regexp.MustCompile(`(?m)^(Data|System|Metadata|Data\+Metadata), (\w+): total=(\d+), used=(\d+)$`)

// btrfsMinimum is what is used, each copy counted, and the first MiB, which is
// never allocated. 'inspect-internal min-dev-size' counts what is allocated, which
// can be twice as much; shrinking packs that first.
func btrfsMinimum(ctx context.Context, v Volume, _ volume.Info) (need int64, err error) {
	err = v.mounted(ctx, true, func(dir string) error {
		r, err := v.run(ctx, tool.Btrfs, "filesystem", "df", "-b", dir)
		if err != nil {
			return err
		}
		need, err = btrfsUsed(r.Output)
		return err
	})
	return need, err
}

func btrfsUsed(df string) (int64, error) {
	need := int64(1 << 20)
	lines := btrfsUse.FindAllStringSubmatch(df, -1)
	if lines == nil {
		return 0, fmt.Errorf("btrfs filesystem df says nothing of what is used: %s", df)
	}
	for _, m := range lines {
		used, err := strconv.ParseInt(m[4], 10, 62)
		if err != nil {
			return 0, err
		}
		if m[2] == "DUP" {
			used *= 2
		}
		need += used
	}
	return need, nil
}

// btrfsMargin: space is allocated in chunks. There is one of 256 MiB for metadata,
// twice, and one more of data, an eighth of all up to 1 GiB, to move others to.
func btrfsMargin(minimum int64) int64 { return minimum/20 + 528<<20 + min(minimum/8, 1<<30) }

// shrinkBtrfs has the kernel move what lies behind the new end.
func shrinkBtrfs(ctx context.Context, v Volume, size int64) ([]string, error) {
	info, err := v.look(ctx, btrfs.New())
	if err != nil {
		return nil, err
	}
	return nil, v.mounted(ctx, false, func(dir string) error {
		// Files that were deleted last give their space back when the volume is next in use.
		if _, err := v.run(ctx, tool.Btrfs, "filesystem", "sync", dir); err != nil {
			return err
		}
		if v.resizeBtrfs(ctx, dir, strconv.FormatInt(size, 10)) == nil {
			return nil
		}
		return v.shrinkInSteps(ctx, dir, info.Size, size)
	})
}

// shrinkInSteps is for a volume in which the kernel finds no room for all that it
// has to move: its chunks are half empty, or in each other's way. They are packed,
// and the end comes down a little at a time.
func (v Volume) shrinkInSteps(ctx context.Context, dir string, from, to int64) error {
	const steps, least = 16, 64 << 20
	step := max((from-to)/steps, least) &^ (1<<20 - 1)
	if err := v.pack(ctx, dir, "50"); err != nil {
		return err
	}
	for at := from; at > to; {
		at = max(at-step, to)
		if err := v.lower(ctx, dir, strconv.FormatInt(at, 10)); err != nil {
			return err
		}
	}
	return nil
}

// lower brings the end down by one step. Each round of packing frees other chunks.
func (v Volume) lower(ctx context.Context, dir, size string) (err error) {
	for _, usage := range []string{"75", "95", "60", "99", ""} {
		if err = v.resizeBtrfs(ctx, dir, size); err == nil || usage == "" {
			return err
		}
		if err := v.pack(ctx, dir, usage); err != nil {
			return err
		}
	}
	return err
}

// pack joins chunks that are used by less than a share in percent. Without room it
// does what it can, which is no failure.
func (v Volume) pack(ctx context.Context, dir, usage string) error {
	_, _ = v.run(ctx, tool.Btrfs, "balance", "start", "-dusage="+usage, "-musage="+usage, dir)
	return ctx.Err()
}

func checkBtrfs(ctx context.Context, v Volume) error {
	_, err := v.run(ctx, tool.Btrfs, "check", "--readonly", v.Path)
	return err
}
