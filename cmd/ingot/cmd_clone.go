package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
)

func (a *app) cloneCommand() *cobra.Command {
	var fl deployFlags
	var opts capture.Options
	cmd := &cobra.Command{
		Use:     "clone SOURCE TARGET",
		Short:   "put a disk onto another disk, without a store between",
		Example: "  ingot clone /dev/sda /dev/sdb --new-ids\n  ingot clone /dev/sda --partition 2=/dev/sdb2",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			partition, target, err := fl.check(args[1:])
			if err != nil {
				return err
			}
			if partition > 0 {
				opts.Partitions = []int{partition}
			}
			return a.clone(cmd.Context(), args[0], partition, target, fl, opts)
		},
	}
	fl.add(cmd)
	f := cmd.Flags()
	f.BoolVar(&opts.Raw, "raw", false, "take every sector, whatever the file systems say is free")
	f.BoolVar(&opts.AllowDirty, "allow-dirty", false, "take every sector of volumes that are not clean, instead of refusing")
	f.BoolVar(&opts.KeepSwap, "keep-swap", false, "take the contents of swap, page and hibernation files too")
	return cmd
}

func (a *app) clone(ctx context.Context, path string, partition int, target string, fl deployFlags, opts capture.Options) error {
	if same, err := sameFile(path, target); err != nil {
		return err
	} else if same {
		return &deploy.RefusedError{Why: fmt.Sprintf("%s and %s are the same disk", path, target)}
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
		a.note("%s", n)
	}
	regions, used, windows := live(from)
	what := "a copy of " + filepath.Clean(path)
	job := deployJob{what: what, disk: from.Disk.Size, sector: from.Disk.SectorSize, content: content.NewLive(regions, used, windows), fl: fl}
	job.plan = func(t deploy.Target) (*deploy.Plan, error) {
		if partition == 0 {
			return deploy.NewPlan(what, from.Table, regions, from.Disk.SectorSize, t, fl.Options)
		}
		return deploy.NewVolumePlan(what, regions[0], 0, from.Disk.SectorSize, t, fl.Options)
	}
	if partition > 0 {
		job.disk = regions[0].Size
	}
	return a.put(ctx, target, job)
}

// live turns what a capture would take into content.
func live(p *capture.Plan) (regions []image.Region, used []extent.List, windows []block.Reader) {
	for _, r := range p.Regions {
		region := r.Region
		region.Data, region.End = r.Used.Bytes(), r.Used.End()
		regions, used, windows = append(regions, region), append(used, r.Used), append(windows, r.Window)
	}
	return regions, used, windows
}
