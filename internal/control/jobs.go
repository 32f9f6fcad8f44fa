package control

import (
	"context"
	"slices"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Batches are a page of work that was asked for, newest first, and how much there
// is in all.
func (c *Control) Batches(ctx context.Context, actor fleet.Actor, filter BatchFilter) ([]fleet.Batch, int, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, 0, err
	}
	filter.Limit, filter.Offset = page(filter.Limit, filter.Offset)
	return c.records.Batches(ctx, filter)
}

// Batch is a batch with its jobs in order.
func (c *Control) Batch(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, []fleet.Job, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return fleet.Batch{}, nil, err
	}
	b, err := c.records.Batch(ctx, id)
	if err != nil {
		return b, nil, found(err, "batch", id)
	}
	jobs, _, err := c.records.Jobs(ctx, JobFilter{Batch: id})
	b.Bytes = 0
	for i := range jobs {
		jobs[i] = c.live.newest(jobs[i])
		b.Bytes += jobs[i].Progress.Written
	}
	return b, jobs, err
}

// Jobs are a page of jobs, and how many there are in all.
func (c *Control) Jobs(ctx context.Context, actor fleet.Actor, filter JobFilter) ([]fleet.Job, int, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, 0, err
	}
	filter.Limit, filter.Offset = page(filter.Limit, filter.Offset)
	jobs, total, err := c.records.Jobs(ctx, filter)
	for i := range jobs {
		jobs[i] = c.live.newest(jobs[i])
	}
	return jobs, total, err
}

// Job is a job with its newest progress.
func (c *Control) Job(ctx context.Context, actor fleet.Actor, id string) (fleet.Job, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return fleet.Job{}, err
	}
	j, err := c.records.Job(ctx, id)
	return c.live.newest(j), found(err, "job", id)
}

// JobLog are lines of a job's log after an ID, oldest first, at most 1000.
func (c *Control) JobLog(ctx context.Context, actor fleet.Actor, id string, after int64) ([]LogEntry, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	if _, err := c.records.Job(ctx, id); err != nil {
		return nil, found(err, "job", id)
	}
	return c.records.JobLog(ctx, id, after, maxPage)
}

// Cancel ends a job, or all jobs of a batch that have not ended. One that runs is
// Stopping until its agent has ended it in good order.
func (c *Control) Cancel(ctx context.Context, actor fleet.Actor, id string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "job.cancel", object: clean(id, maxName)}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		b, jobs, whole, err := batchOrJob(ctx, r, id)
		if err != nil {
			return err
		}
		jobs = slices.DeleteFunc(jobs, func(j fleet.Job) bool { return j.State.Ended() })
		if len(jobs) == 0 {
			return &ConflictError{Message: "it has ended already"}
		}
		if whole {
			d.also("batch "+b.ID, "")
			b.Cancelled = true
			if err := r.PutBatch(ctx, b); err != nil {
				return err
			}
		}
		for _, j := range jobs {
			if err := c.cancelJob(ctx, r, d, j, "cancelled by "+actor.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

// batchOrJob finds a batch with its jobs, or the batch of one job with that job.
func batchOrJob(ctx context.Context, r Records, id string) (b fleet.Batch, jobs []fleet.Job, whole bool, err error) {
	if b, err = r.Batch(ctx, id); err == nil {
		jobs, _, err = r.Jobs(ctx, JobFilter{Batch: id})
		return b, jobs, true, err
	}
	j, err := r.Job(ctx, id)
	if err != nil {
		return b, nil, false, found(err, "job or batch", id)
	}
	b, err = r.Batch(ctx, j.Batch)
	return b, []fleet.Job{j}, false, err
}

func (c *Control) cancelJob(ctx context.Context, r Records, d *deed, j fleet.Job, by string) error {
	was := j.State
	j = c.live.newest(j)
	if !j.Cancel(by, c.now()) || was == fleet.Stopping {
		return nil
	}
	if j.State.Ended() {
		return c.settle(ctx, r, d, j)
	}
	d.more = append(d.more, done{"job.cancel", jobTitle(j), by})
	d.event(TopicJob, j.ID)
	d.event(TopicBatch, j.Batch)
	return r.PutJob(ctx, j)
}

func (c *Control) cancelJobsOf(ctx context.Context, r Records, d *deed, machine, by string) error {
	jobs, err := r.OpenJobs(ctx, machine)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if err := c.cancelJob(ctx, r, d, j, by); err != nil {
			return err
		}
	}
	return nil
}
