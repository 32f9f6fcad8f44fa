package control

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// keepEvery is how often what is newest of jobs and machines is written to Records:
// what a restart of the server loses of progress at most.
const keepEvery = 5 * time.Second

// eventEvery is how often progress of a job is an event at most.
const eventEvery = time.Second

// forgetLive is how long after its lease a job's newest progress is remembered.
const forgetLive = 10 * time.Minute

// live is what is newest of running jobs and of machines, in memory. It grows with
// the fleet and no further: an entry goes when its job ends, or once it was kept.
type live struct {
	mu   sync.Mutex
	jobs map[string]*liveJob
	seen map[string]Seen // not written yet
	kept time.Time
}

// liveJob is the newest of one attempt.
type liveJob struct {
	attempt  int
	boot     string
	seq      int64
	progress wire.Progress
	lease    time.Time
	kept     time.Time
	told     time.Time // last event
	dirty    bool
}

func newLive() *live { return &live{jobs: map[string]*liveJob{}, seen: map[string]Seen{}} }

// report takes a report into memory. It says whether the report is news, whether
// Records are so old that it must be kept now, and whether it is time for an event.
func (l *live) report(j fleet.Job, boot string, r wire.Report, now time.Time) (news, keep, event bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.jobs[j.ID]
	if one == nil || one.attempt != r.Attempt || one.boot != boot {
		one = &liveJob{attempt: r.Attempt, boot: boot, seq: j.Seq, progress: j.Progress}
		l.jobs[j.ID] = one
	}
	one.lease = now.Add(wire.Lease)
	one.dirty = true
	news = r.Seq > one.seq
	phase := r.Progress.Phase != one.progress.Phase
	if news {
		one.seq, one.progress = r.Seq, r.Progress
	}
	keep = now.Sub(one.kept) >= keepEvery || news && len(r.Log) > 0
	if keep {
		one.kept, one.dirty = now, false
	}
	if event = phase || now.Sub(one.told) >= eventEvery; event {
		one.told = now
	}
	return news, keep, event
}

// newest is a job with what is newer in memory.
func (l *live) newest(j fleet.Job) fleet.Job {
	l.mu.Lock()
	defer l.mu.Unlock()
	one := l.jobs[j.ID]
	if one == nil || !j.State.Active() || one.attempt != j.Attempt || one.boot != j.Boot {
		return j
	}
	if one.lease.After(j.Lease) {
		j.Lease = one.lease
	}
	if one.seq > j.Seq {
		j.Seq, j.Progress = one.seq, one.progress
	}
	return j
}

func (l *live) ended(job string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.jobs, job)
}

// rate is what all running jobs move, bytes a second.
func (l *live) rate() (sum int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, one := range l.jobs {
		sum = bounded(sum+one.progress.Rate, maxBytes)
	}
	return sum
}

// touch remembers a sign of life of a machine.
func (l *live) touch(s Seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[s.Machine] = s
}

// overlay is a machine with its newest sign of life.
func (l *live) overlay(m fleet.Machine) fleet.Machine {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.seen[m.ID]; ok && s.At.After(m.LastSeen) {
		m.LastSeen, m.Addr = s.At, s.Addr
	}
	return m
}

// take is what has to be written, when it is time to.
func (l *live) take(now time.Time, all bool) (seen []Seen, jobs []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !all && now.Sub(l.kept) < keepEvery {
		return nil, nil
	}
	l.kept = now
	for _, s := range l.seen {
		seen = append(seen, s)
	}
	clear(l.seen)
	for id, one := range l.jobs {
		if now.Sub(one.lease) > forgetLive {
			delete(l.jobs, id) // it was lost, and nobody came back
			continue
		}
		if one.dirty && (all || now.Sub(one.kept) >= keepEvery) {
			one.dirty, one.kept = false, now
			jobs = append(jobs, id)
		}
	}
	return seen, jobs
}

// keep writes what is newest of machines and jobs to Records; with all, whether it
// is time or not.
func (c *Control) keep(ctx context.Context, all bool) error {
	seen, jobs := c.live.take(c.now(), all)
	if len(seen) > 0 {
		if err := c.records.TouchMachines(ctx, seen); err != nil {
			return err
		}
	}
	for _, id := range jobs {
		err := c.records.InTx(ctx, func(ctx context.Context, r Records) error {
			j, err := r.Job(ctx, id)
			if err != nil {
				return err
			}
			if newer := c.live.newest(j); newer.Seq != j.Seq || newer.Lease != j.Lease {
				return r.PutJob(ctx, newer)
			}
			return nil
		})
		if errors.Is(err, ErrNoRecord) {
			c.live.ended(id)
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}
