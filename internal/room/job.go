package room

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// carryOut does a job as the command does that a real agent runs.
func (pc *PC) carryOut(ctx context.Context, job wire.Job, w *progress.Work) wire.Result {
	b, err := remote.Open(remote.Config{
		URL: pc.url, TLS: pc.secure, Token: func() string { return job.Token }, Traffic: w.Network, Stall: pc.Pace.Stall, GiveUp: pc.Pace.GiveUp,
	})
	if err != nil {
		return resultOf(ctx, err, wire.Untouched)
	}
	defer b.Close()
	s, err := store.Open(ctx, b)
	if err != nil {
		return resultOf(ctx, err, wire.Untouched)
	}
	switch job.Kind {
	case wire.Deploy:
		return pc.deploy(ctx, s, job, w)
	case wire.Capture:
		return pc.capture(ctx, s, job)
	}
	return resultOf(ctx, fmt.Errorf("this PC does not know jobs of the kind %q", job.Kind), wire.Untouched)
}

func (pc *PC) deploy(ctx context.Context, s *store.Store, job wire.Job, w *progress.Work) wire.Result {
	plan, src, err := pc.plan(ctx, s, job)
	if err == nil {
		err = pc.at(Planned)
	}
	if err != nil {
		left := wire.Untouched
		if what, uerr := deploy.Unfinished(pc.Disk); uerr != nil || what != "" {
			left = wire.Unfinished // by an earlier attempt
		}
		return resultOf(ctx, err, left)
	}
	if err := plan.Run(ctx, src, pc.Disk, w); err != nil {
		return resultOf(ctx, err, wire.Unfinished)
	}
	return wire.Result{Outcome: wire.Done, Target: wire.Complete}
}

func (pc *PC) plan(ctx context.Context, s *store.Store, job wire.Job) (*deploy.Plan, content.Source, error) {
	id, err := chunk.ParseID(job.Image)
	if err != nil {
		return nil, nil, err
	}
	m, err := catalog.Manifest(ctx, s, id)
	if err != nil {
		return nil, nil, err
	}
	target := deploy.Target{Path: "/dev/nvme0n1", Size: pc.Disk.Size(), SectorSize: pc.Disk.SectorSize(), Blank: pc.Blank}
	if target.Unfinished, err = deploy.Unfinished(pc.Disk); err != nil {
		return nil, nil, err
	}
	plan, err := deploy.NewPlan(job.Title, m.Table, m.Regions, m.Disk.SectorSize, target, deploy.Options{})
	return plan, content.NewStored(s, m), err
}

func (pc *PC) capture(ctx context.Context, s *store.Store, job wire.Job) wire.Result {
	id, err := capturetest.Capture(ctx, s, job.Image, pc.Disk)
	if err != nil {
		return resultOf(ctx, err, wire.Untouched)
	}
	name, _, _ := strings.Cut(job.Image, ":")
	return wire.Result{Outcome: wire.Done, Target: wire.Untouched, Image: id.String(), Name: name}
}

// resultOf is an error as the result of a job.
func resultOf(ctx context.Context, err error, left wire.TargetState) wire.Result {
	r := wire.Result{Outcome: wire.Failed, Exit: wire.ExitFailed, Error: err.Error(), Target: left}
	var away *remote.UnreachableError
	var denied *remote.DeniedError
	var damage *store.IntegrityError
	var chunk *store.ChunkError
	switch {
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		r.Exit, r.Error = wire.ExitInterrupted, "interrupted"
	case errors.As(err, &away):
		r.Retry = true
	case errors.As(err, &damage), errors.As(err, &chunk):
		r.Exit = wire.ExitIntegrity
	case errors.As(err, &denied):
		r.Exit = wire.ExitRefused
	}
	return r
}

// progressOf is how far a job is.
func progressOf(w *progress.Work, phase string) wire.Progress {
	p := wire.Progress{Phase: phase, Left: -1, Fetched: w.Network.In.Load(), Written: w.Written.Load(), Same: w.Same.Load()}
	for _, stage := range w.Stages() {
		p.Done += stage.Done()
		p.Total += stage.Total
	}
	return p
}
