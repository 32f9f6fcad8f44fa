package control

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// maxJobLog is how many lines of a job's log are kept.
const maxJobLog = 10_000

// theirs finds a job of the session's machine. Another machine's is a
// *ForbiddenError, which is counted.
func (c *Control) theirs(ctx context.Context, session, job string) (fleet.Machine, fleet.AgentSession, fleet.Job, error) {
	m, s, err := c.agent(ctx, session, "")
	if err != nil {
		return m, s, fleet.Job{}, err
	}
	j, err := c.records.Job(ctx, job)
	if err != nil {
		return m, s, j, found(err, "job", job)
	}
	if j.Machine != m.ID {
		c.refuse(ctx, "foreign-job", agentOf(m, s.Addr), jobTitle(j), "the job is another machine's")
		return m, s, j, &ForbiddenError{Why: "this job is another machine's"}
	}
	return m, s, j, nil
}

// Report takes how far a job is, and renews its lease. A report of an older attempt,
// of an earlier boot, or of a job that has ended, has the answer Lost.
func (c *Control) Report(ctx context.Context, session, job string, report wire.Report) (wire.Reply, error) {
	m, s, j, err := c.theirs(ctx, session, job)
	if err != nil {
		return wire.Reply{}, err
	}
	now := c.now()
	c.live.touch(Seen{Machine: m.ID, At: now, Addr: s.Addr})
	if !j.Has(s.Boot, report.Attempt) {
		return lost(j), nil
	}
	report.Progress, report.Log = cleanProgress(report.Progress), cleanLog(report.Log)
	if j.State.Active() {
		news, keep, event := c.live.report(j, s.Boot, report, now)
		if event {
			c.events.send(Event{TopicJob, j.ID})
		}
		if !keep {
			return reply(j), nil
		}
		if !news {
			report.Log = nil
		}
	}
	var answer wire.Reply
	err = c.act(ctx, deed{actor: agentOf(m, s.Addr)}, func(ctx context.Context, r Records, d *deed) error {
		var err error
		answer, err = c.keepReport(ctx, r, d, j.ID, s.Boot, report)
		return err
	})
	return answer, err
}

// keepReport writes a report down.
func (c *Control) keepReport(ctx context.Context, r Records, d *deed, id, boot string, report wire.Report) (wire.Reply, error) {
	j, err := r.Job(ctx, id)
	if err != nil {
		return wire.Reply{}, err
	}
	wasQueued := j.State == fleet.Queued
	if wasQueued {
		if room, err := hasRoom(ctx, r, j); err != nil || !room {
			return wire.Reply{Lost: true, Why: "the server had not heard of it for too long, and other work took its place; it is tried again"}, err
		}
	}
	if !j.Hear(boot, report.Attempt, c.now()) {
		return lost(j), nil
	}
	if wasQueued {
		d.more = append(d.more, done{"job.resume", jobTitle(j), "its agent was heard again"})
		d.event(TopicJob, j.ID)
		d.event(TopicBatch, j.Batch)
	}
	if report.Seq > j.Seq {
		j.Seq, j.Progress = report.Seq, report.Progress
	}
	if len(report.Log) > 0 {
		if err := r.AddJobLog(ctx, j.ID, report.Attempt, report.Log, maxJobLog); err != nil {
			return wire.Reply{}, err
		}
	}
	return reply(j), r.PutJob(ctx, j)
}

// hasRoom reports whether a job that was lost may go on: its batch has a place for
// it, and its machine nothing else to do.
func hasRoom(ctx context.Context, r Records, j fleet.Job) (bool, error) {
	b, err := r.Batch(ctx, j.Batch)
	if err != nil || freeSlots(b) <= 0 {
		return false, err
	}
	jobs, err := r.OpenJobs(ctx, j.Machine)
	return !slices.ContainsFunc(jobs, func(other fleet.Job) bool { return other.State.Active() }), err
}

func reply(j fleet.Job) wire.Reply {
	if j.State == fleet.Stopping {
		return wire.Reply{Stop: true, Why: j.Why}
	}
	return wire.Reply{}
}

// lost is the answer to an agent whose job is not its own any more.
func lost(j fleet.Job) wire.Reply {
	why := "the server gave the job up: " + j.Why
	if j.State.Active() {
		why = "the job was given to a later start of the machine"
	}
	return wire.Reply{Lost: true, Why: why}
}

// Finish takes how a job ended. A repetition has the same answer and changes
// nothing.
func (c *Control) Finish(ctx context.Context, session, job string, result wire.Result) (wire.Reply, error) {
	m, s, _, err := c.theirs(ctx, session, job)
	if err != nil {
		return wire.Reply{}, err
	}
	c.live.touch(Seen{Machine: m.ID, At: c.now(), Addr: s.Addr})
	var answer wire.Reply
	var ended fleet.Job
	var looked told
	err = c.act(ctx, deed{actor: agentOf(m, s.Addr)}, func(ctx context.Context, r Records, d *deed) error {
		answer, ended = wire.Reply{}, fleet.Job{}
		j, err := r.Job(ctx, job)
		if err != nil {
			return err
		}
		if j.Finished(result.Attempt) {
			return nil
		}
		b, err := r.Batch(ctx, j.Batch)
		if err != nil {
			return err
		}
		log, said := cleanLog(result.Log), cleanResult(result, j.Kind)
		looked, said.Lint = told{by: m.Name, asked: b.Spec.Image, report: said.Lint}, nil
		if !j.Finish(s.Boot, said, b.Spec.Attempts, c.now()) {
			answer = lost(j)
			return nil
		}
		if len(log) > 0 {
			if err := r.AddJobLog(ctx, j.ID, result.Attempt, log, maxJobLog); err != nil {
				return err
			}
		}
		if err := c.learn(ctx, r, d, m.ID, j); err != nil {
			return err
		}
		scheduleWake(&j, b, c.now())
		if j.State == fleet.Done && j.Kind == wire.Capture {
			d.event(TopicImage, j.Result.Image)
		}
		ended = j
		return c.settle(ctx, r, d, j)
	})
	if err == nil && ended.ID != "" {
		c.live.ended(ended.ID)
		c.tally.ended(ended)
		c.keepTold(ctx, ended, looked)
	}
	return answer, err
}

// learn takes what a job that is done tells about its machine.
func (c *Control) learn(ctx context.Context, r Records, d *deed, machine string, j fleet.Job) error {
	if j.State != fleet.Done {
		return nil
	}
	m, err := r.Machine(ctx, machine)
	if err != nil {
		return err
	}
	learned := false
	switch {
	case j.Kind == wire.Deploy && j.Hostname != "":
		learned, err = namedAfter(ctx, r, &m, j.Hostname)
	case j.Kind == wire.Look:
		learned = looked(&m, j.Result.Detail)
	}
	if err != nil || !learned {
		return err
	}
	d.event(TopicMachine, m.ID)
	return r.PutMachine(ctx, m)
}

// namedAfter calls a machine that nobody named by its new host name, if that is
// free.
func namedAfter(ctx context.Context, r Records, m *fleet.Machine, hostname string) (bool, error) {
	if !strings.HasPrefix(m.Name, fleet.DefaultName(m.Inventory)) {
		return false, nil
	}
	_, err := r.MachineNamed(ctx, hostname)
	if !errors.Is(err, ErrNoRecord) {
		return false, err
	}
	m.Name = hostname
	return true, nil
}

// looked takes the inventory that came with a result: agents may say Hello with it
// instead. It must still be the machine that it was, or nothing of it counts.
func looked(m *fleet.Machine, detail []byte) bool {
	var inv wire.Inventory
	if len(detail) == 0 || json.Unmarshal(detail, &inv) != nil {
		return false
	}
	inv = fleet.Clean(inv)
	id := fleet.IdentityOf(inv)
	if !fleet.Compare(id, m.Identity).Sure() {
		return false
	}
	m.Inventory, m.Identity = inv, m.Identity.With(id)
	return true
}

// JobProfile is the profile that the agent of a running job may have.
func (c *Control) JobProfile(ctx context.Context, session, job string) (string, error) {
	m, s, j, err := c.theirs(ctx, session, job)
	if err != nil {
		return "", err
	}
	if !j.State.Active() || j.Boot != s.Boot || stateOf(m) != wire.Approved {
		c.refuse(ctx, "profile", agentOf(m, s.Addr), jobTitle(j), "the job does not run")
		return "", &ForbiddenError{Why: "this job does not run"}
	}
	b, err := c.records.Batch(ctx, j.Batch)
	if err != nil {
		return "", err
	}
	if b.Spec.Profile == "" {
		return "", &NotFoundError{What: "profile of job", ID: j.ID}
	}
	return b.Spec.Profile, nil
}
