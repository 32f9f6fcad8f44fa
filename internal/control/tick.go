package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// How often and how many times a machine is woken for a job.
const (
	wakeEvery = time.Minute
	maxWakes  = 10
)

const (
	dueAtATime = 200 // jobs that one Tick looks at
	tidyEvery  = 10 * time.Minute
)

// Tick does what is due: jobs whose time has come, leases that ended, machines to
// wake, sessions and secrets that expired. It is called about every second; what it
// could not do it does the next time.
func (c *Control) Tick(ctx context.Context) error {
	failed := c.keep(ctx, false)
	due, err := c.records.DueJobs(ctx, c.now(), dueAtATime)
	if err != nil {
		return errors.Join(failed, err)
	}
	for _, j := range due {
		failed = errors.Join(failed, c.due(ctx, j.ID))
	}
	return errors.Join(failed, c.tidy(ctx))
}

// due does what is due of one job.
func (c *Control) due(ctx context.Context, id string) error {
	var macs []string
	err := c.act(ctx, deed{actor: system()}, func(ctx context.Context, r Records, d *deed) error {
		macs = nil
		j, err := r.Job(ctx, id)
		if err != nil {
			return err
		}
		switch {
		case j.Due().IsZero() || j.Due().After(c.now()):
			return nil // somebody was faster
		case j.State == fleet.Scheduled:
			return c.timeCame(ctx, r, d, j)
		case j.State == fleet.Queued:
			macs, err = c.wakeFor(ctx, r, d, j)
			return err
		default:
			return c.leaseEnded(ctx, r, d, j)
		}
	})
	if err != nil {
		return fmt.Errorf("job %s is due: %w", id, err)
	}
	if err := c.wakeAll(ctx, macs); err != nil {
		c.log.Warn("a machine was not woken", "job", id, "error", err)
	}
	return nil
}

func (c *Control) timeCame(ctx context.Context, r Records, d *deed, j fleet.Job) error {
	b, err := r.Batch(ctx, j.Batch)
	if err != nil {
		return err
	}
	j.Wait(c.now())
	scheduleWake(&j, b, c.now())
	d.event(TopicJob, j.ID)
	d.event(TopicBatch, j.Batch)
	d.woken = append(d.woken, j.Machine)
	return r.PutJob(ctx, j)
}

// wakeFor says which interfaces to wake for a job that waits for its machine.
func (c *Control) wakeFor(ctx context.Context, r Records, d *deed, j fleet.Job) ([]string, error) {
	now := c.now()
	m, err := r.Machine(ctx, j.Machine)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return nil, err
	}
	j.WakeAt = time.Time{}
	var macs []string
	switch {
	case err != nil:
		j.Refuse("the machine was forgotten", now)
		return nil, c.settle(ctx, r, d, j)
	case c.live.overlay(m).Online(now):
		j.Why = "waits for its turn"
	case c.wake == nil || len(m.Identity.MACs) == 0:
		j.Why = "waits for the machine, which cannot be woken: switch it on"
	case j.Woken >= maxWakes:
		j.Why = fmt.Sprintf("woken %d times, not seen: switch the machine on, and have it start from the network", j.Woken)
	default:
		j.Woken++
		j.WakeAt, macs = now.Add(wakeEvery), m.Identity.MACs
		j.Why = fmt.Sprintf("woken %s, not seen yet", times(j.Woken))
	}
	d.event(TopicJob, j.ID)
	return macs, r.PutJob(ctx, j)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// leaseEnded loses an attempt, unless its agent was heard of and Records do not know
// that yet.
func (c *Control) leaseEnded(ctx context.Context, r Records, d *deed, j fleet.Job) error {
	now := c.now()
	newest := c.live.newest(j)
	newest.Lease = c.leaseOf(newest)
	if then, told := fleet.ThenOf(j.Kind); told && !newest.Lease.After(now) {
		m, err := r.Machine(ctx, j.Machine)
		if err != nil && !errors.Is(err, ErrNoRecord) {
			return err
		}
		// An agent that was told and still asks is told again, see handOver.active.
		if err == nil && then != "" && now.Sub(c.live.overlay(m).LastSeen) < wire.NextWait*2 {
			newest.Lease = now.Add(wire.NextWait)
		}
	}
	if newest.Lease.After(now) {
		return r.PutJob(ctx, newest)
	}
	return c.leftBehind(ctx, r, d, newest, fmt.Sprintf("no word for %d s", int(wire.Lease.Seconds())))
}

// tidy removes what expired, now and then.
func (c *Control) tidy(ctx context.Context) error {
	now := c.now()
	if !c.tally.tidies(now) {
		return nil
	}
	c.refusals.forget(now)
	open, _, err := c.records.Batches(ctx, BatchFilter{Open: true})
	c.rates.only(open)
	return errors.Join(err,
		c.records.ExpireSessions(ctx, now, now.Add(-SessionIdle)),
		c.records.ExpireEnrolSecrets(ctx, now))
}
