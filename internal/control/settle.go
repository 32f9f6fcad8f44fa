package control

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func jobTitle(j fleet.Job) string { return "job " + j.ID + " (" + j.Name + ")" }

// settle keeps a job that an attempt of ended, or that ended, with everything that
// follows: the audit entry, the end of its batch, those that wait for its place.
func (c *Control) settle(ctx context.Context, r Records, d *deed, j fleet.Job) error {
	if err := r.PutJob(ctx, j); err != nil {
		return err
	}
	d.event(TopicJob, j.ID)
	d.event(TopicBatch, j.Batch)
	d.woken = append(d.woken, j.Machine)
	action := "job." + string(j.State)
	if j.State == fleet.Queued {
		action = "job.again"
	}
	d.more = append(d.more, done{action, jobTitle(j), j.Why})
	b, err := r.Batch(ctx, j.Batch)
	if err != nil {
		return err
	}
	open := 0
	for _, s := range fleet.OpenStates() {
		open += b.Counts[s]
	}
	if open == 0 && b.Ended.IsZero() {
		b.Ended = c.now()
		return r.PutBatch(ctx, b)
	}
	return c.wakeWaiting(ctx, r, d, b)
}

// wakeWaiting lets those ask again that wait for a place in a batch.
func (c *Control) wakeWaiting(ctx context.Context, r Records, d *deed, b fleet.Batch) error {
	if b.Spec.Limit == 0 {
		return nil
	}
	queued, _, err := r.Jobs(ctx, JobFilter{Batch: b.ID, States: []fleet.JobState{fleet.Queued}})
	if err != nil {
		return err
	}
	free := freeSlots(b)
	for _, j := range queued {
		if free <= 0 {
			break
		}
		if c.waiting.waits(j.Machine) {
			d.woken = append(d.woken, j.Machine)
			free--
		}
	}
	return nil
}

// leftBehind ends an attempt whose agent is gone: what was to be told is done then,
// work is lost.
func (c *Control) leftBehind(ctx context.Context, r Records, d *deed, j fleet.Job, why string) error {
	now := c.now()
	if _, told := fleet.ThenOf(j.Kind); told && j.Told {
		j.Finish(j.Boot, wire.Result{Attempt: j.Attempt, Outcome: wire.Done, Target: wire.Untouched}, j.Attempt, now)
		return c.settle(ctx, r, d, j)
	}
	b, err := r.Batch(ctx, j.Batch)
	if err != nil {
		return err
	}
	j = c.live.newest(j)
	if j.Lose(why, b.Spec.Attempts, now) {
		scheduleWake(&j, b, now)
		return c.settle(ctx, r, d, j)
	}
	return nil
}

// scheduleWake has the machine of a job that waits woken, if the batch asks for it.
func scheduleWake(j *fleet.Job, b fleet.Batch, now time.Time) {
	if j.State == fleet.Queued && b.Spec.Wake {
		j.WakeAt, j.Woken = now, 0
		if j.NotBefore.After(now) {
			j.WakeAt = j.NotBefore
		}
	}
}
