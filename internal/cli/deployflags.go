package cli

import (
	"errors"
	"fmt"
	"slices"
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

	grow     string
	fs       map[string]string // partition number or "root" → kind
	profile  string
	hostname string
	values   map[string]string // of a profile's placeholders
	counter  int
	machines int    // that get this image; a Windows that is not generalized is for one
	machine  string // file with the facts of the machine that will run it
	scratch  string

	firmware  string // of the machine that will run it
	bootEntry bool
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
	f.StringVar(&fl.grow, "grow", "", "what grows on a larger disk: `auto|none|proportional|N`, N a partition (default: auto, the last that holds the system)")
	f.StringToStringVar(&fl.fs, "fs", nil, "make a file system anew with another kind, as `root=xfs` or 2=btrfs")
	f.StringVar(&fl.profile, "profile", "", "make the system this machine's own, as `FILE` says (see 'ingot profile')")
	f.StringVar(&fl.hostname, "hostname", "", "the machine's `NAME`, instead of what the profile says")
	f.StringToStringVar(&fl.values, "set", nil, "a value for a placeholder of the profile, as `KEY=VALUE`")
	f.IntVar(&fl.counter, "counter", 0, "the `NUMBER` for {n} in the profile's name pattern")
	f.IntVar(&fl.machines, "machines", 1, "how many machines get this image, this one included: a Windows that was not generalized is for one")
	f.StringVar(&fl.machine, "machine", "", "`FILE` with the facts of the machine that will run it, from 'ingot machine --json' there (default: this machine)")
	f.StringVar(&fl.firmware, "firmware", "", "what the machine must be able to start by: `uefi|bios` (default: either)")
	f.BoolVar(&fl.bootEntry, "boot-entry", false, "make this machine's UEFI firmware start the target first")
	f.StringVar(&fl.scratch, "scratch", "", "`FOLDER` for what is changed on the way (default: $TMPDIR or /var/tmp)")
	cmd.RegisterFlagCompletionFunc("grow", cobra.FixedCompletions([]cobra.Completion{"auto", "none", "proportional"}, cobra.ShellCompDirectiveNoFileComp))
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
	if !slices.Contains([]string{"", "uefi", "bios"}, fl.firmware) {
		return 0, "", fmt.Errorf("--firmware is uefi or bios, not %q", fl.firmware)
	}
	if fl.partition != "" && fl.adapts() {
		return 0, "", errors.New("--grow, --fs, --profile and --hostname are for whole disks, not for --partition")
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

// adapts reports whether the user asked for more than the image as it is.
func (fl *deployFlags) adapts() bool {
	return fl.grow != "" || len(fl.fs) > 0 || fl.customises()
}

// customises reports whether the system is to be made one machine's own.
func (fl *deployFlags) customises() bool { return fl.profile != "" || fl.hostname != "" }

// scratchFolder is where what is changed lies until it is written.
func (fl *deployFlags) scratchFolder() string { return scratchFolder(fl.scratch) }
