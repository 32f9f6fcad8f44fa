package cli

import (
	"context"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
)

func (a *App) cloneCommand() *cobra.Command {
	var fl deployFlags
	var opts capture.Options
	cmd := &cobra.Command{
		Use:   "clone SOURCE TARGET",
		Short: "put a disk onto another disk, without a store between",
		Long: `Clone overwrites TARGET with what is used on SOURCE, as a capture and a deploy
would. SOURCE is only read, and refused where a capture would refuse it.`,
		Example: `  ingot clone /dev/sda /dev/sdb --new-ids
  ingot clone /dev/sda disk.img
  ingot clone /dev/sda --partition 2=/dev/sdb2`,
		Args: betweenArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, target, err := fl.check(args[1:])
			if err != nil {
				return usageError{err}
			}
			if partition > 0 {
				opts.Partitions = []int{partition}
			}
			return a.clone(cmd.Context(), args[0], partition, target, fl, opts)
		},
	}
	fl.add(cmd)
	addTakeFlags(cmd, &opts)
	return cmd
}

func (a *App) clone(ctx context.Context, path string, partition int, target string, fl deployFlags, opts capture.Options) error {
	if err := refuseOverlap(path, partition, target); err != nil {
		return err
	}
	src, err := openSource(path)
	if err != nil {
		return err
	}
	defer src.Close()
	from, err := planCapture(ctx, src, opts)
	if err != nil {
		return err
	}
	for _, n := range from.Notes() {
		a.Note("%s", n)
	}
	job := deployJob{verb: "clone", name: filepath.Base(path), what: "a copy of " + filepath.Clean(path), table: from.Table, size: from.Disk.Size, sector: from.Disk.SectorSize, fl: fl}
	job.regions, job.content = live(from)
	if partition > 0 {
		if err := job.only(partition); err != nil {
			return err
		}
	}
	return a.put(ctx, target, job)
}

// refuseOverlap refuses a target that is, holds or lies in what is cloned.
func refuseOverlap(path string, partition int, target string) error {
	what := path
	if device := host.PartitionPath(path, partition); partition > 0 && isDevice(path) && exists(device) {
		what = device
	}
	same, err := host.Overlap(what, target)
	if err == nil && same {
		err = refuse("%s and %s share bytes: cloning would overwrite what is read", what, target)
	}
	return err
}

func isDevice(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode()&os.ModeDevice != 0
}
