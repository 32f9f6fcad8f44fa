package control

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// obeyWithin is how long a machine has to do what it was told before that failed.
const obeyWithin = 2 * time.Minute

// A handOver gives one agent its next work.
type handOver struct {
	c       *Control
	session string
	now     time.Time
	secret  string // of the job's token, if there is a job
	hash    []byte

	machine fleet.Machine
	boot    string
	order   wire.Order
	again   time.Duration
}

// run looks at a machine's jobs in their order: one at a time.
func (h *handOver) run(ctx context.Context, r Records, d *deed) error {
	m, s, err := agentBy(ctx, r, h.session)
	if err != nil {
		return err
	}
	h.machine, h.boot = m, s.Boot
	h.order.Name, h.order.State = m.Name, stateOf(m)
	if h.order.State != wire.Approved {
		return nil
	}
	jobs, err := r.OpenJobs(ctx, m.ID)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.State.Active() {
			free, err := h.active(ctx, r, d, j)
			if err != nil || !free {
				return err
			}
		}
	}
	for _, j := range jobs {
		switch {
		case j.State != fleet.Queued:
		case h.now.Before(j.NotBefore):
			h.again = min(h.again, max(j.NotBefore.Sub(h.now), time.Millisecond))
		default:
			taken, err := h.queued(ctx, r, d, j)
			if err != nil || taken {
				return err
			}
		}
	}
	return nil
}

// active deals with a job that the machine has, although its agent asks for work. It
// reports whether the machine is free for another one.
func (h *handOver) active(ctx context.Context, r Records, d *deed, j fleet.Job) (free bool, err error) {
	then, told := fleet.ThenOf(j.Kind)
	switch {
	case j.Boot != h.boot:
		return true, h.c.leftBehind(ctx, r, d, j, "the machine started again")
	case j.State == fleet.Stopping && told:
		j.Finish(h.boot, wire.Result{Attempt: j.Attempt, Outcome: wire.Cancelled, Target: wire.Untouched}, j.Attempt, h.now)
		return true, h.c.settle(ctx, r, d, j)
	case j.State == fleet.Stopping:
		// The agent heard nothing of the job, or has ended it and not said so.
		return true, h.c.leftBehind(ctx, r, d, j, "its agent asks for other work")
	case told && h.now.Sub(j.Started) > obeyWithin:
		j.Finish(h.boot, wire.Result{Attempt: j.Attempt, Outcome: wire.Failed, Error: fmt.Sprintf("the machine still runs, %s after it was told", obeyWithin), Target: wire.Untouched}, j.Attempt, h.now)
		return true, h.c.settle(ctx, r, d, j)
	case told:
		h.order.Then = then
		return false, nil
	default:
		// It lost our answer, or crashed: the same attempt once more. Its lease is not
		// renewed, so that an agent that never begins ends as lost. It counts its reports
		// from one again.
		j = h.c.live.newest(j)
		h.c.live.ended(j.ID)
		j.TokenHash, j.Seq, j.Progress = h.hash, 0, wire.Progress{Left: -1}
		if h.order.Job, err = h.c.wireJob(ctx, r, j, h.machine, h.secret); err != nil {
			return false, err
		}
		return false, r.PutJob(ctx, j)
	}
}

// queued gives a queued job to the agent, if its batch has room.
func (h *handOver) queued(ctx context.Context, r Records, d *deed, j fleet.Job) (taken bool, err error) {
	b, err := r.Batch(ctx, j.Batch)
	if err != nil {
		return false, err
	}
	if turn, err := h.hasTurn(ctx, r, b, j); err != nil || !turn {
		return false, err
	}
	problem := h.chooseDisk(&j, b)
	if _, err := h.c.profiles.ofBatch(b); isAnswer(err) {
		problem = err.Error()
	} else if err != nil {
		return false, err
	}
	if problem != "" {
		j.Refuse(problem, h.now)
		return false, h.c.settle(ctx, r, d, j)
	}
	if !j.Take(h.boot, h.hash, h.now) {
		return false, nil
	}
	d.more = append(d.more, done{"job.start", jobTitle(j), fmt.Sprintf("%s, attempt %d", j.Kind, j.Attempt)})
	d.event(TopicJob, j.ID)
	d.event(TopicBatch, j.Batch)
	if then, told := fleet.ThenOf(j.Kind); told {
		j.Told, h.order.Then = true, then
		return true, r.PutJob(ctx, j)
	}
	if h.order.Job, err = h.c.wireJob(ctx, r, j, h.machine, h.secret); err != nil {
		return false, err
	}
	return true, r.PutJob(ctx, j)
}

// hasTurn reports whether a job of a batch with a limit may start. Those before it go
// first if their agents wait for work too; it does not wait for machines that are
// off.
func (h *handOver) hasTurn(ctx context.Context, r Records, b fleet.Batch, j fleet.Job) (bool, error) {
	free := freeSlots(b)
	if free > fleet.MaxBatch {
		return true, nil
	}
	if free > 0 {
		queued, _, err := r.Jobs(ctx, JobFilter{Batch: b.ID, States: []fleet.JobState{fleet.Queued}})
		if err != nil {
			return false, err
		}
		for _, other := range queued {
			if other.Order < j.Order && !h.now.Before(other.NotBefore) && h.c.waiting.waits(other.Machine) {
				free--
			}
		}
	}
	if free > 0 {
		return true, nil
	}
	h.again = min(h.again, 5*time.Second)
	why := fmt.Sprintf("waits for its turn: %d at a time", b.Spec.Limit)
	if j.Why == why {
		return false, nil
	}
	j.Why = why
	return false, r.PutJob(ctx, j)
}

// freeSlots is how many jobs of a batch may start now.
func freeSlots(b fleet.Batch) int {
	if b.Spec.Limit == 0 {
		return 2 * fleet.MaxBatch
	}
	return b.Spec.Limit - b.Counts[fleet.Running] - b.Counts[fleet.Stopping]
}

// chooseDisk finds the disk of a job whose machine was not seen when it was asked
// for.
func (h *handOver) chooseDisk(j *fleet.Job, b fleet.Batch) (problem string) {
	if j.Disk != "" || !fleet.NeedsDisk(j.Kind) {
		return ""
	}
	disk, problem := fleet.ChooseDisk(h.machine.Inventory.Disks, b.Spec.Disk)
	if problem == "" {
		j.Disk, j.DiskSize = fleet.DiskName(h.machine.Inventory.Disks, disk), disk.Size
	}
	return problem
}

// wireJob is a job as its agent gets it.
func (c *Control) wireJob(ctx context.Context, r Records, j fleet.Job, m fleet.Machine, secret string) (*wire.Job, error) {
	b, err := r.Batch(ctx, j.Batch)
	if err != nil {
		return nil, err
	}
	job := &wire.Job{
		ID: j.ID, Kind: j.Kind, Attempt: j.Attempt, Disk: j.Disk, DiskSize: j.DiskSize, Wipe: b.Spec.Wipe, Then: b.Spec.Then,
		Title: b.Spec.Image, Token: joinCredential(jobPrefix, j.ID, secret),
	}
	switch j.Kind {
	case wire.Deploy:
		document, err := c.profiles.ofBatch(b)
		if err != nil {
			return nil, err
		}
		options := b.Spec.Deploy
		options.Profile, options.Hostname, options.Counter = document != nil, j.Hostname, j.Counter
		options.Values, options.Machines = valuesFor(b.Spec, m, document), len(b.Spec.Machines)
		job.Image, job.Deploy = b.Spec.ImageID, &options
	case wire.Verify:
		job.Image = b.Spec.ImageID
	case wire.Capture:
		options := b.Spec.Capture
		job.Image, job.Capture = b.Spec.Image, &options
	}
	return job, nil
}

// valuesFor are the placeholders' values of a machine, its own before those of the
// batch. Of its own only those count that the profile knows: lists of machines have
// columns for several profiles.
func valuesFor(s fleet.BatchSpec, m fleet.Machine, document *profile.Document) map[string]string {
	values := maps.Clone(s.Deploy.Values)
	if document == nil {
		return values
	}
	known := document.Placeholders()
	for name, value := range m.Values {
		if !slices.Contains(known, name) {
			continue
		}
		if values == nil {
			values = map[string]string{}
		}
		values[name] = value
	}
	return values
}
