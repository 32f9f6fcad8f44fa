package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/deploy"
)

// deployFlags are the flags of deploy and clone.
type deployFlags struct {
	deploy.Options
	free      string
	partition string
	dryRun    bool
	yes       bool
}

func (fl *deployFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&fl.dryRun, "dry-run", false, "show the plan and touch nothing")
	f.BoolVar(&fl.yes, "yes", false, "do not ask before overwriting a target that holds data")
	f.StringVar(&fl.partition, "partition", "", "put one partition onto a partition or bare disk, as `N=TARGET`")
	f.BoolVar(&fl.Full, "full", false, "write everything, without looking what the target holds already")
	f.StringVar(&fl.free, "free", "", "what to do with unused space: `discard|zero|keep` (default: discard where the target can)")
	f.BoolVar(&fl.Readback, "readback", false, "read everything back from the medium and compare")
	f.BoolVar(&fl.NewIDs, "new-ids", false, "give the disk and its partitions new GUIDs")
	cmd.RegisterFlagCompletionFunc("free", cobra.FixedCompletions([]cobra.Completion{"discard", "zero", "keep"}, cobra.ShellCompDirectiveNoFileComp))
}

// check completes the options after parsing. It returns the partition that is
// put onto a bare target, 0 for a whole disk, and the target's path.
func (fl *deployFlags) check(args []string) (partition int, target string, err error) {
	fl.Free = deploy.FreeSpace(fl.free)
	switch fl.Free {
	case "", deploy.Discard, deploy.Zero, deploy.Keep:
	default:
		return 0, "", fmt.Errorf("--free is discard, zero or keep, not %q", fl.free)
	}
	if fl.partition == "" {
		if len(args) != 1 {
			return 0, "", errors.New("TARGET is missing: the disk to overwrite, or --partition N=TARGET")
		}
		return 0, args[0], nil
	}
	number, target, given := strings.Cut(fl.partition, "=")
	partition, err = strconv.Atoi(number)
	if err != nil || partition < 1 || given == (len(args) == 1) || given && target == "" {
		return 0, "", fmt.Errorf("--partition wants N=TARGET, as in --partition 2=/dev/sdb2, and no other target; got %q", fl.partition)
	}
	if !given {
		target = args[0]
	}
	return partition, target, nil
}
