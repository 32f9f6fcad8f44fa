package main

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// planCapture surveys a source and decides what is taken of it.
func planCapture(ctx context.Context, src *host.Source, opts capture.Options) (*capture.Plan, error) {
	disk, err := survey.Look(ctx, src, all.Formats())
	if err != nil {
		return nil, err
	}
	d := src.Describe()
	from := image.Disk{
		Path: src.Path(), Model: d.Model, Serial: d.Serial, Size: src.Size(), SectorSize: disk.Table.SectorSize, PhysicalSector: d.PhysicalSector,
	}
	return capture.NewPlan(ctx, src, from, disk, opts)
}
