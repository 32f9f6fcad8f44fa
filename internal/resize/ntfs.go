package resize

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// willCheck is what a user has to know of ntfsresize (ntfsresize(8), --force): it
// marks the volume dirty on purpose, and leaves the mark. ntfsfix -d would take
// it away without the check that it asks for, so it stays.
const willCheck = "Windows checks the volume when it first starts (chkdsk), since ntfsresize asks for that after every change of size"

var ntfsEstimate = regexp.MustCompile(`(?m)^You might resize at (\d+) bytes`)

// ntfsMinimum is what ntfsresize calls the theoretically smallest size. A volume
// that is full has none.
func ntfsMinimum(ctx context.Context, v Volume, _ volume.Info) (int64, error) {
	r, err := v.ntfsresize(ctx, "--info")
	if err != nil {
		return 0, err
	}
	m := ntfsEstimate.FindStringSubmatch(r.Output)
	if m == nil {
		return 0, fmt.Errorf("ntfsresize --info says no minimum: %s", r.Output)
	}
	return strconv.ParseInt(m[1], 10, 64)
}

// ntfsMargin follows the manual, which finds the smallest size in practice 20 to
// 200 MB above the theoretical one, by the size of what is moved.
func ntfsMargin(minimum int64) int64 { return min(max(minimum/20, 20<<20), 200<<20) }

// resizeNTFS grows or shrinks: to ntfsresize it is the same.
func resizeNTFS(ctx context.Context, v Volume, size int64) ([]string, error) {
	s, err := v.spec(ctx)
	if err != nil {
		return nil, err
	}
	if limit := (1<<32 - 1) * s.BlockSize; size > limit {
		return nil, &TooLargeError{v.Kind, size, limit, "Its clusters are too small for more; let it have only that much, or make it anew with larger clusters."}
	}
	to := strconv.FormatInt(size, 10)
	if _, err := v.ntfsresize(ctx, "--no-action", "--size", to); err != nil {
		return nil, fmt.Errorf("trial run: %w", err)
	}
	if _, err := v.ntfsresize(ctx, "--size", to); err != nil {
		return nil, err
	}
	return []string{willCheck}, change(v.Path, func(d disk) error { return endNTFS(d, size) })
}

// ntfsresize does not ask, and takes a volume that it marked itself.
func (v Volume) ntfsresize(ctx context.Context, args ...string) (tool.Result, error) {
	return v.run(ctx, tool.NTFSResize, append(append([]string{"--force", "--force", "--no-progress-bar"}, args...), v.Path)...)
}

// checkNTFS: ntfsresize holds the runs of all files against the bitmap, ntfsfix
// looks at $MFT, its mirror and both boot sectors. Neither is as thorough as chkdsk.
func checkNTFS(ctx context.Context, v Volume) error {
	if _, err := v.ntfsresize(ctx, "--info"); err != nil {
		return err
	}
	_, err := v.run(ctx, tool.NTFSFix, "--no-action", v.Path)
	return err
}

// makeNTFS sets what mkntfs does not: the serial number and the boot code.
func makeNTFS(ctx context.Context, v Volume, s Spec) error {
	args := []string{"--fast", "--force", "--quiet", "--heads", "255", "--sectors-per-track", "63"}
	args = append(args, "--partition-start", strconv.FormatInt(hidden(s.Start), 10))
	args = option(args, "--label", s.Label)
	args = number(args, "--cluster-size", s.BlockSize)
	args = number(args, "--sector-size", int64(s.SectorSize))
	if _, err := v.run(ctx, tool.MkNTFS, append(args, v.Path)...); err != nil {
		return err
	}
	return change(v.Path, func(d disk) error {
		if err := nameNTFS(d, s); err != nil {
			return err
		}
		return endNTFS(d, d.size)
	})
}
