package e2e

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/verify"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// planCapture decides what a capture takes of a disk.
func planCapture(ctx context.Context, src block.Reader, opts capture.Options) (*capture.Plan, error) {
	d, err := survey.Look(ctx, src, all.Formats())
	if err != nil {
		return nil, err
	}
	from := image.Disk{Path: "test", Size: src.Size(), SectorSize: d.Table.SectorSize}
	return capture.NewPlan(ctx, src, from, d, opts)
}

// captured is an image in a store.
type captured struct {
	store    *store.Store
	plan     *capture.Plan
	manifest *image.Manifest
	fresh    int64 // bytes that the store did not have
}

// content is what the image puts on a disk.
func (c captured) content() content.Source { return content.NewStored(c.store, c.manifest) }

// run carries a capture out and publishes its image.
func run(ctx context.Context, s *store.Store, plan *capture.Plan, tag string) (c captured, err error) {
	ses, err := s.Begin(ctx, "test")
	if err != nil {
		return c, err
	}
	defer ses.Close(context.WithoutCancel(ctx))
	regions, err := plan.Run(ctx, s, ses, &progress.Work{})
	if err != nil {
		return c, err
	}
	m := &image.Manifest{
		Format: image.Format, Created: time.Now(), Hash: s.Hash(), Disk: plan.Disk, Table: plan.Table, Regions: regions,
	}
	data, err := m.Encode()
	if err != nil {
		return c, err
	}
	_, err = ses.Publish(ctx, data, func(id chunk.ID) (string, error) {
		return s.PutName(ctx, store.Name{Name: "disk", Tag: tag, Image: id, Put: time.Now()})
	})
	if err != nil {
		return c, err
	}
	c = captured{store: s, plan: plan, fresh: ses.Stats.Plain.Load()}
	c.manifest, err = image.Parse(data)
	return c, err
}

// take captures a disk and verifies the image.
func take(t testing.TB, s *store.Store, src block.Reader, tag string) captured {
	t.Helper()
	ctx := t.Context()
	plan, err := planCapture(ctx, src, capture.Options{})
	must(t, err)
	c, err := run(ctx, s, plan, tag)
	must(t, err)
	must(t, verify.Image(ctx, s, tag, c.manifest, true, &progress.Work{}))
	return c
}

// targetOf describes a device for a plan, as the program does.
func targetOf(d blocktest.Device, blank bool) (deploy.Target, error) {
	unfinished, err := deploy.Unfinished(d)
	return deploy.Target{
		Path: "test", Size: d.Size(), SectorSize: d.SectorSize(), CanDiscard: d.CanDiscard(), DiscardZeroes: d.DiscardZeroes(),
		Blank: blank && unfinished == "", Unfinished: unfinished,
	}, err
}

// put plans and carries out a deploy of an image.
func put(ctx context.Context, c captured, target blocktest.Device, blank bool, opts deploy.Options) (*deploy.Plan, *progress.Work, error) {
	return deployTo(ctx, c.content(), c.plan, c.manifest.Regions, target, blank, opts)
}

// clone copies a disk without a store between.
func clone(ctx context.Context, from *capture.Plan, target blocktest.Device, opts deploy.Options) (*deploy.Plan, *progress.Work, error) {
	live, regions := liveContent(from)
	return deployTo(ctx, live, from, regions, target, false, opts)
}

// liveContent turns what a capture would take into content.
func liveContent(p *capture.Plan) (*content.Live, []image.Region) {
	var regions []image.Region
	var used []extent.List
	var windows []block.Reader
	for _, r := range p.Regions {
		region := r.Region
		region.Data, region.End = r.Used.Bytes(), r.Used.End()
		regions, used, windows = append(regions, region), append(used, r.Used), append(windows, r.Window)
	}
	return content.NewLive(regions, used, windows), regions
}

func deployTo(ctx context.Context, src content.Source, from *capture.Plan, regions []image.Region, target blocktest.Device, blank bool, opts deploy.Options) (*deploy.Plan, *progress.Work, error) {
	work := &progress.Work{}
	to, err := targetOf(target, blank)
	if err != nil {
		return nil, work, err
	}
	p, err := deploy.NewPlan("disk:test", from.Table, regions, from.Disk.SectorSize, to, opts)
	if err != nil {
		return nil, work, err
	}
	return p, work, p.Run(ctx, src, target, work)
}

// compare holds a disk against an image with verify, as the program does.
func compare(ctx context.Context, src content.Source, p *deploy.Plan, disk block.Reader) error {
	var places []content.Place
	for _, r := range p.Regions {
		places = append(places, content.Place{Region: r.Index, At: r.At, Size: r.Size})
	}
	return verify.Disk(ctx, src, p.Table, places, disk, &progress.Work{})
}

// sameBytes checks without the engine's help that target holds every byte of
// source that the capture was to take, and zeros where it was to be zeros.
func sameBytes(source, target block.Reader, from *capture.Plan) error {
	for _, r := range from.Regions {
		if r.Start+r.Size > target.Size() {
			continue
		}
		for _, e := range r.Used {
			if err := equal(source, target, r.Start+e.Start, e.Length); err != nil {
				return fmt.Errorf("%s: %w", r.Title(), err)
			}
		}
		if r.Rest == image.Free {
			continue
		}
		for _, e := range r.Used.Complement(r.Size) {
			if err := equal(blocktest.NewMemory(target.Size(), 512), target, r.Start+e.Start, e.Length); err != nil {
				return fmt.Errorf("%s, which is to be zeros: %w", r.Title(), err)
			}
		}
	}
	return nil
}

func equal(a, b block.Reader, at, n int64) error {
	const step = 1 << 20
	x, y := make([]byte, step), make([]byte, step)
	for end := at + n; at < end; at += step {
		n := min(step, end-at)
		if err := block.ReadFull(a, x[:n], at); err != nil {
			return err
		}
		if err := block.ReadFull(b, y[:n], at); err != nil {
			return err
		}
		if bytes.Equal(x[:n], y[:n]) {
			continue
		}
		for i := range n {
			if x[i] != y[i] {
				return fmt.Errorf("byte %#x is %#x, want %#x", at+i, y[i], x[i])
			}
		}
	}
	return nil
}
