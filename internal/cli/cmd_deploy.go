package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/image"
)

func (a *App) deployCommand() *cobra.Command {
	var fl deployFlags
	cmd := &cobra.Command{
		Use:   "deploy IMAGE TARGET",
		Short: "put an image onto a disk",
		Long: `Deploy overwrites TARGET, a disk or raw image file, with IMAGE. When TARGET holds
something already, what is there is looked at and only what differs is written.
The partition table comes last: an interrupted deploy leaves a disk that does
not boot and says so, and is finished by running it again.

A TARGET that holds data is overwritten after its name was typed, or with --yes.
A path that does not exist becomes a raw image file.`,
		Example: `  ingot deploy lab-pc /dev/sdb
  ingot deploy lab-pc:v2 /dev/sdb --dry-run
  ingot deploy lab-pc /dev/nvme0n1 --yes --readback --new-ids
  ingot deploy lab-pc --partition 2=/dev/sdb2`,
		Args:              betweenArgs(1, 2),
		ValidArgsFunction: a.completeImageThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, target, err := fl.check(args[1:])
			if err != nil {
				return usageError{err}
			}
			return a.deploy(cmd.Context(), args[0], partition, target, fl)
		},
	}
	fl.add(cmd)
	return cmd
}

func (a *App) deploy(ctx context.Context, ref string, partition int, path string, fl deployFlags) error {
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return err
	}
	m := img.Manifest
	job := deployJob{
		verb: "deploy", name: img.Name(), what: fmt.Sprintf("%s (%s)", img.Name(), img.ID.Short()),
		table: m.Table, regions: m.Regions, size: m.Disk.Size, sector: m.Disk.SectorSize,
		content: content.NewStored(s, m), fl: fl,
	}
	if partition > 0 {
		if err := job.only(partition); err != nil {
			return err
		}
	}
	return a.put(ctx, path, job)
}

// only restricts a job to one partition.
func (j *deployJob) only(partition int) error {
	i, err := regionOf(j.regions, partition)
	if err != nil {
		return err
	}
	j.partition, j.index, j.size = partition, i, j.regions[i].Size
	return nil
}

// plan decides what the job does to a target.
func (j *deployJob) plan(t deploy.Target) (*deploy.Plan, error) {
	if j.partition > 0 {
		return deploy.NewVolumePlan(j.what, j.regions[j.index], j.index, j.sector, t, j.fl.Options)
	}
	return deploy.NewPlan(j.what, j.table, j.regions, j.sector, t, j.fl.Options)
}

// regionOf is the index of a partition's region; a *capture.PartitionError when
// there is none.
func regionOf(regions []image.Region, partition int) (int, error) {
	var have []int
	for i, r := range regions {
		if r.Volume == nil {
			continue
		}
		if r.Partition == partition {
			return i, nil
		}
		have = append(have, r.Partition)
	}
	return 0, &capture.PartitionError{Number: partition, Have: have}
}
