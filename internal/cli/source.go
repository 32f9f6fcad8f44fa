package cli

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// openSource opens a disk or image file that nobody writes to.
func openSource(path string) (*host.Source, error) {
	if err := refuseUsed(path); err != nil {
		return nil, err
	}
	return host.OpenSource(path, host.SourceOptions{})
}

// refuseUsed refuses a source that changes while it is read.
func refuseUsed(path string) error {
	uses, err := host.InUse(path)
	if err != nil {
		return err
	}
	for _, u := range uses {
		if !u.ReadOnly {
			return refuse("%s is in use: %s. Unmount it, or boot the machine from another medium", path, u)
		}
	}
	return nil
}

// planCapture surveys a source and decides what is taken of it.
func planCapture(ctx context.Context, src *host.Source, opts capture.Options) (*capture.Plan, error) {
	if err := refuseUnfinished(src); err != nil && !opts.Raw {
		return nil, err
	}
	disk, err := survey.Look(ctx, src, all.Formats())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.Path(), err)
	}
	return capture.NewPlan(ctx, src, describeSource(src, disk), disk, opts)
}

// refuseUnfinished refuses a source on which a deploy was interrupted.
func refuseUnfinished(src *host.Source) error {
	what, err := deploy.Unfinished(src)
	if err == nil && what != "" {
		err = refuse("%s holds an unfinished deploy of %s. Finish it by the same deploy, or take every sector as it is with --raw", src.Path(), what)
	}
	return err
}

// describeSource is what an image keeps about where it came from.
func describeSource(src *host.Source, disk *survey.Disk) image.Disk {
	d := src.Describe()
	return image.Disk{
		Path: src.Path(), Model: d.Model, Serial: d.Serial,
		Size: src.Size(), SectorSize: disk.Table.SectorSize, PhysicalSector: d.PhysicalSector,
	}
}

// live turns what a capture would take into content for a deploy.
func live(p *capture.Plan) (regions []image.Region, src *content.Live) {
	var used []extent.List
	var windows []block.Reader
	for _, r := range p.Regions {
		region := r.Region
		region.Data, region.End = r.Used.Bytes(), r.Used.End()
		regions, used, windows = append(regions, region), append(used, r.Used), append(windows, r.Window)
	}
	return regions, content.NewLive(regions, used, windows)
}
