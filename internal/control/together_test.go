package control_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestTogether has a room of agents that wait, report and finish all at once, while
// the clock ticks and somebody looks.
func TestTogether(t *testing.T) {
	records, err := db.Open(t.Context(), "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer records.Close()
	c, err := control.New(control.Config{Records: records, Images: newImages(), Profiles: t.TempDir(), NextWait: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	s := &server{t: t, records: records, Control: c, now: time.Now()}
	const machines, limit = 12, 4
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	agents := s.approved(machines)
	spec := deploy(agents...)
	spec.Limit = limit
	b := s.submit(spec)

	var wg sync.WaitGroup
	failed := make(chan error, 1000)
	for _, a := range agents {
		wg.Go(func() { failed <- a.work(ctx, c) })
	}
	ticking, stopTicking := context.WithCancel(ctx)
	wg.Go(func() {
		for ticking.Err() == nil {
			if err := c.Tick(ctx); err != nil {
				failed <- err
			}
			now, _, err := c.Batch(ctx, viewer(), b.ID)
			if running := now.Counts[fleet.Running]; err != nil || running > limit {
				failed <- fmt.Errorf("%d jobs run: %w", running, err)
			}
			if !now.Ended.IsZero() {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	for range agents {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	stopTicking()
	wg.Wait()
	for _, j := range s.jobs(b.ID) {
		if j.State != fleet.Done || j.Attempt != 1 {
			t.Errorf("%s: %s, attempt %d: %s", j.Name, j.State, j.Attempt, j.Why)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// work does one job as an agent does.
func (a *agent) work(ctx context.Context, c *control.Control) error {
	for ctx.Err() == nil {
		order, err := c.Next(ctx, a.session, "192.0.2.1")
		if err != nil {
			return err
		}
		if order.Job == nil {
			continue
		}
		for seq := range int64(10) {
			report := wire.Report{Attempt: order.Job.Attempt, Seq: seq + 1, Log: []wire.LogLine{{Text: "a line"}}, Progress: wire.Progress{Phase: fmt.Sprint(seq)}}
			reply, err := c.Report(ctx, a.session, order.Job.ID, report)
			if err != nil || reply != (wire.Reply{}) {
				return errors.Join(err, fmt.Errorf("report: %+v", reply))
			}
		}
		_, err = c.Finish(ctx, a.session, order.Job.ID, wire.Result{Attempt: order.Job.Attempt, Outcome: wire.Done, Target: wire.Complete})
		return err
	}
	return ctx.Err()
}
