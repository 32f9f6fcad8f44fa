package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/fleet"
	sim "github.com/ingot-imaging/ingot/internal/room"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// full is a whole server, as 'ingot serve' is one, with a fleet.
type full struct {
	*sim.Server
	client *apiclient.Client
	pcs    []*sim.PC
	ids    []string
	disk   int64
}

// fleetSize is how many machines the server of full knows.
const fleetSize = 1000

// measureFull measures the whole server: pages while a room reports, and a room that
// deploys at once, against the bare data plane with the same image.
func measureFull(ctx context.Context, w io.Writer, o options, folder string) (err error) {
	program, err := sim.Build(ctx, folder)
	if err != nil {
		return err
	}
	data := filepath.Join(folder, "data")
	// The bare data plane serves the very store of the whole server.
	r, err := prepare(ctx, data, o.image<<20)
	if err != nil {
		return err
	}
	s, err := sim.Start(program, data)
	if err != nil {
		return err
	}
	defer s.Kill()
	f := &full{Server: s, disk: r.manifest.Disk.Size}
	if err := f.populate(ctx, o.agents); err != nil {
		return err
	}
	defer f.leave()
	if err := describeFull(w, o, r); err != nil {
		return err
	}
	if err := f.measurePages(ctx, w, o); err != nil {
		return err
	}
	return f.measureDeploys(ctx, w, o, r)
}

// populate makes the administrator, the fleet, and the PCs of the room.
func (f *full) populate(ctx context.Context, agents int) (err error) {
	if err := f.SetUp(ctx); err != nil {
		return err
	}
	if f.client, err = f.Client(); err != nil {
		return err
	}
	if err := f.Register(ctx, 10_000, fleetSize-agents); err != nil {
		return err
	}
	for n := range agents {
		pc, err := sim.NewPC(f.Server, n, sim.DiskOf(sim.NewDiscarding(f.disk)))
		if err != nil {
			return err
		}
		pc.Pace, pc.Blank = sim.Real(), true
		f.pcs = append(f.pcs, pc)
	}
	f.ids, err = f.Enter(ctx, f.pcs)
	return err
}

func (f *full) leave() {
	for _, pc := range f.pcs {
		pc.PowerOff()
	}
}

func (f *full) deploy(ctx context.Context) (fleet.Batch, error) {
	return f.client.Submit(ctx, message.Spec{Kind: wire.Deploy, Image: "room:v1", Machines: f.ids, Then: wire.Stay})
}

// askEvery is seldom enough to cost the server nothing that would be measured.
const askEvery = 500 * time.Millisecond

// until waits until all jobs of a batch are in a state.
func (f *full) until(ctx context.Context, batch string, state fleet.JobState) ([]fleet.Job, error) {
	for {
		b, err := f.client.Batch(ctx, batch)
		if err != nil {
			return nil, err
		}
		if b.Batch.Counts[state] == len(f.ids) {
			return b.Jobs, nil
		}
		if n := b.Batch.Counts[fleet.Failed]; n > 0 {
			return nil, fmt.Errorf("%d jobs failed", n)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(askEvery):
		}
	}
}

// For how long pages are read, how often a PC reports meanwhile, and how many people
// have the batch's page open.
const (
	pagesFor    = 30 * time.Second
	reportEvery = 500 * time.Millisecond
	watchers    = 5
)

// measurePages reads pages while every PC of the room reports twice a second.
func (f *full) measurePages(ctx context.Context, w io.Writer, o options) error {
	var free []func()
	for _, pc := range f.pcs {
		_, release := pc.Disk.Hold(0)
		free = append(free, release)
	}
	batch, err := f.deploy(ctx)
	if err != nil {
		return err
	}
	if _, err := f.until(ctx, batch.ID, fleet.Running); err != nil {
		return err
	}
	time.Sleep(2 * time.Second) // each PC has read what it was told
	watching, leave := context.WithCancel(ctx)
	defer leave()
	for range watchers {
		go f.Page.Watch(watching, "/events/batches/"+batch.ID)
	}
	before, err := costOf(fmt.Sprint(f.PID()))
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n| page | times read | p50 ms | p99 ms | slowest ms |\n|---|---|---|---|---|\n")
	stop := sim.Reporting(ctx, f.pcs, reportEvery)
	began := time.Now()
	for _, path := range []string{"/", "/machines", "/batches/" + batch.ID} {
		took, err := f.Page.Time(ctx, pagesFor/3, path)
		if err != nil {
			return err
		}
		ms := func(n int) float64 { return float64(sim.Percentile(took, n).Microseconds()) / 1000 }
		fmt.Fprintf(w, "| %s | %d | %.0f | %.0f | %.0f |\n", pageName(path), len(took), ms(50), ms(99), ms(100))
	}
	wall := time.Since(began)
	reports, err := stop()
	if err != nil {
		return err
	}
	after, err := costOf(fmt.Sprint(f.PID()))
	if err != nil {
		return err
	}
	now, most, err := f.Memory()
	fmt.Fprintf(w, "\n%.0f reports a second, %d machines, %d people who watch the batch; the server used %.2f of a processor, and %d MiB (%d at most)\n",
		float64(reports)/wall.Seconds(), fleetSize, watchers, (after.cpu-before.cpu).Seconds()/wall.Seconds(), now>>20, most>>20)
	for _, release := range free {
		release()
	}
	_, derr := f.until(ctx, batch.ID, fleet.Done)
	return errors.Join(err, derr)
}

func pageName(path string) string {
	if len(path) > len("/batches/") && path[:len("/batches/")] == "/batches/" {
		return "a batch of the whole room"
	}
	return "`" + path + "`"
}

// measureDeploys has the room deploy at once: in each round once through the whole
// server and once through the bare data plane, in alternating order.
func (f *full) measureDeploys(ctx context.Context, w io.Writer, o options, r *room) error {
	fmt.Fprintf(w, "\n| round | whole server MiB/s | bare data plane | ratio | whole server CPU s/GiB | bare | whole server peak MiB | bare |\n|---|---|---|---|---|---|---|---|\n")
	t := newTable(true, deploying)
	var whole []sample
	for round := range o.rounds {
		bare := func() error {
			return t.once(ctx, o, r, &t.ingot, func() (*server, error) { return startIngot(ctx, r, true, "") })
		}
		if round%2 == 1 {
			if err := bare(); err != nil {
				return err
			}
		}
		s, err := f.deployOnce(ctx)
		if err != nil {
			return err
		}
		whole = append(whole, s)
		if round%2 == 0 {
			if err := bare(); err != nil {
				return err
			}
		}
	}
	var ratios []float64
	for i := range whole {
		ratios = append(ratios, whole[i].rate/t.ingot[i].rate)
		printRow(w, fmt.Sprint(i+1), whole[i], t.ingot[i], ratios[i])
	}
	printRow(w, "median", medianOf(whole), medianOf(t.ingot), median(ratios))
	return nil
}

// deployOnce is one deploy of the whole room. The time is from the order to the last
// result.
func (f *full) deployOnce(ctx context.Context) (sample, error) {
	before, err := costOf(fmt.Sprint(f.PID()))
	if err != nil {
		return sample{}, err
	}
	began := time.Now()
	batch, err := f.deploy(ctx)
	if err != nil {
		return sample{}, err
	}
	jobs, err := f.until(ctx, batch.ID, fleet.Done)
	wall := time.Since(began)
	after, cerr := costOf(fmt.Sprint(f.PID()))
	if err := errors.Join(err, cerr); err != nil {
		return sample{}, err
	}
	var bytes int64
	for _, j := range jobs {
		bytes += j.Progress.Fetched
	}
	return sample{float64(bytes) / (1 << 20) / wall.Seconds(), (after.cpu - before.cpu).Seconds() / (float64(bytes) / gib), after.peak}, nil
}
