package control

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Submit starts work, or refuses with all that Preview says stops it, as
// InvalidErrors.
func (c *Control) Submit(ctx context.Context, actor fleet.Actor, spec fleet.BatchSpec) (fleet.Batch, error) {
	d := deed{actor: actor, need: fleet.Operator, action: "batch.submit", object: string(spec.Kind)}
	return c.submit(ctx, d, planning{c: c}, spec)
}

func (c *Control) submit(ctx context.Context, d deed, p planning, spec fleet.BatchSpec) (fleet.Batch, error) {
	if err := look(d.actor, d.need); err != nil {
		return fleet.Batch{}, c.do(ctx, d, nil)
	}
	if err := p.run(ctx, spec); err != nil {
		return fleet.Batch{}, err
	}
	if err := p.problems(); err != nil {
		c.note(ctx, d, resultOf(err))
		return fleet.Batch{}, err
	}
	b := fleet.Batch{Spec: p.Spec, MadeBy: d.actor.Name, Made: c.now()}
	var err error
	if b.ID, err = c.newID("b-"); err != nil {
		return b, err
	}
	jobs, err := p.jobs(b)
	if err != nil {
		return b, err
	}
	d.object = "batch " + b.ID
	d.detail = strings.TrimSpace(fmt.Sprintf("%s %s on %d machines", p.Spec.Kind, p.Spec.Image, len(jobs)))
	err = c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if err := r.PutBatch(ctx, b); err != nil {
			return err
		}
		d.event(TopicBatch, b.ID)
		for _, j := range jobs {
			if err := r.PutJob(ctx, j); err != nil {
				return err
			}
			d.event(TopicJob, j.ID)
			d.woken = append(d.woken, j.Machine)
		}
		b, err = r.Batch(ctx, b.ID)
		return err
	})
	return b, err
}

func (p *planning) jobs(b fleet.Batch) ([]fleet.Job, error) {
	var jobs []fleet.Job
	for i, planned := range p.Machines {
		m := p.machines[i]
		j := fleet.Job{
			Batch: b.ID, Machine: m.ID, Name: m.Name, Kind: p.Spec.Kind, Order: i, State: fleet.Queued, Why: "waits for the machine",
			Hostname: planned.Hostname, Counter: planned.Counter, Made: b.Made,
		}
		var err error
		if j.ID, err = p.c.newID("j-"); err != nil {
			return nil, err
		}
		if planned.Disk != nil {
			j.Disk, j.DiskSize = fleet.DiskName(m.Inventory.Disks, *planned.Disk), planned.Disk.Size
		}
		if p.Spec.At.After(b.Made) {
			j.State, j.Why, j.NotBefore = fleet.Scheduled, "waits for its time", p.Spec.At.UTC()
		}
		scheduleWake(&j, b, b.Made)
		jobs = append(jobs, j)
	}
	return jobs, nil
}

// Retry makes new jobs of a job that failed or was cancelled, or of all such jobs of
// a batch, and returns the batch they are in. They have the names and counters that
// they had; a result of the past stays what it was. What was done since, or is under
// way, is not done again: its machine may be somebody's by now.
func (c *Control) Retry(ctx context.Context, actor fleet.Actor, id string) (fleet.Batch, error) {
	d := deed{actor: actor, need: fleet.Operator, action: "batch.retry", object: clean(id, maxName)}
	if err := look(actor, d.need); err != nil {
		return fleet.Batch{}, c.do(ctx, d, nil)
	}
	b, jobs, _, err := batchOrJob(ctx, c.records, id)
	if err != nil {
		return fleet.Batch{}, err
	}
	p := planning{c: c, again: map[string]fleet.Job{}}
	spec := b.Spec
	spec.Machines, spec.Group, spec.At = nil, "", c.now()
	for _, j := range jobs {
		if j.State != fleet.Failed && j.State != fleet.Cancelled {
			continue
		}
		later, err := c.doneSince(ctx, j)
		if err != nil {
			return fleet.Batch{}, err
		}
		if !later {
			spec.Machines = append(spec.Machines, j.Machine)
			p.again[j.Machine] = j
		}
	}
	if len(spec.Machines) == 0 {
		return fleet.Batch{}, &ConflictError{Message: "nothing of it is left to retry: what failed or was cancelled was done since, or is under way"}
	}
	return c.submit(ctx, d, p, spec)
}

// doneSince reports whether a machine has had, or has, a later job of the kind, or one
// that writes to its disk.
func (c *Control) doneSince(ctx context.Context, j fleet.Job) (bool, error) {
	states := []fleet.JobState{fleet.Queued, fleet.Running, fleet.Stopping, fleet.Done}
	others, _, err := c.records.Jobs(ctx, JobFilter{Machine: j.Machine, States: states})
	return slices.ContainsFunc(others, func(other fleet.Job) bool {
		return other.Made.After(j.Made) && (other.Kind == j.Kind || fleet.Writes(other.Kind))
	}), err
}
