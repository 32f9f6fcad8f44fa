package db

import (
	"context"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

const selectJob = `SELECT j.data, j.token_hash FROM jobs j`

func scanJob(row scanner) (j fleet.Job, err error) {
	err = scanDocument(row, &j, &j.TokenHash)
	return j, err
}

// Job is the one with an ID.
func (r records) Job(ctx context.Context, id string) (fleet.Job, error) {
	return one(ctx, r.reader(), scanJob, selectJob+` WHERE j.id = ?`, id)
}

// Jobs are a page of jobs.
func (r records) Jobs(ctx context.Context, filter control.JobFilter) (page []fleet.Job, total int, err error) {
	w, order := &where{}, ` ORDER BY j.made DESC, j.id DESC`
	if filter.Machine != "" {
		w.add(`j.machine = ?`, filter.Machine)
	}
	if filter.Batch != "" {
		w.add(`j.batch = ?`, filter.Batch)
		order = ` ORDER BY j.place, j.id`
	}
	if len(filter.States) > 0 {
		var states []any
		for _, s := range filter.States {
			states = append(states, string(s))
		}
		w.add(`j.state IN (`+marks(len(states))+`)`, states...)
	}
	err = r.read(ctx, func(q query) error {
		if total, err = count(ctx, q, `SELECT COUNT(*) FROM jobs j`+w.String(), w.args...); err != nil {
			return err
		}
		page, err = list(ctx, q, scanJob, selectJob+w.String()+order+pageOf(filter.Offset, filter.Limit), w.args...)
		return err
	})
	return page, total, err
}

// OpenJobs are those of a machine that have not ended.
func (r records) OpenJobs(ctx context.Context, machine string) ([]fleet.Job, error) {
	return list(ctx, r.reader(), scanJob, selectJob+` WHERE j.live = 1 AND j.machine = ? ORDER BY j.made, j.batch, j.place`, machine)
}

// DueJobs are those that the scheduler must look at.
func (r records) DueJobs(ctx context.Context, now time.Time, limit int) ([]fleet.Job, error) {
	return list(ctx, r.reader(), scanJob, selectJob+` WHERE j.due > 0 AND j.due <= ? ORDER BY j.due, j.id`+pageOf(0, limit), micros(now))
}

// JobCounts counts jobs by their states.
func (r records) JobCounts(ctx context.Context) (map[fleet.JobState]int, error) {
	counts := map[fleet.JobState]int{}
	_, err := list(ctx, r.reader(), func(row scanner) (none struct{}, err error) {
		var state fleet.JobState
		var n int
		err = row(&state, &n)
		counts[state] = n
		return none, err
	}, `SELECT state, COUNT(*) FROM jobs GROUP BY state`)
	return counts, err
}

// PutJob keeps a job.
func (r records) PutJob(ctx context.Context, j fleet.Job) error {
	kept(&j.Lease, &j.NotBefore, &j.WakeAt, &j.Made, &j.Started, &j.Ended)
	data, err := encode(j)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO jobs (id, batch, machine, place, state, live, made, due, written, token_hash, data)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET batch = excluded.batch, machine = excluded.machine,
			place = excluded.place, state = excluded.state, live = excluded.live, made = excluded.made, due = excluded.due,
			written = excluded.written, token_hash = excluded.token_hash, data = excluded.data`,
			j.ID, j.Batch, j.Machine, int64(j.Order), string(j.State), flag(!j.State.Ended()), micros(j.Made), micros(j.Due()),
			j.Progress.Written, j.TokenHash, data)
		return err
	})
}

// AddJobLog appends to a job's log.
func (r records) AddJobLog(ctx context.Context, job string, attempt int, lines []wire.LogLine, keep int) error {
	if len(lines) == 0 {
		return nil
	}
	return r.write(ctx, func(q query) error {
		for _, l := range lines {
			if _, err := q.exec(ctx, `INSERT INTO job_log (job, attempt, at, line) VALUES (?, ?, ?, ?)`, job, int64(attempt), micros(l.At), l.Text); err != nil {
				return err
			}
		}
		_, err := q.exec(ctx, `DELETE FROM job_log WHERE job = ? AND id <= (SELECT id FROM job_log WHERE job = ? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
			job, job, int64(max(keep, 0)))
		return err
	})
}

// JobLog is a page of a job's log.
func (r records) JobLog(ctx context.Context, job string, after int64, limit int) ([]control.LogEntry, error) {
	return list(ctx, r.reader(), func(row scanner) (e control.LogEntry, err error) {
		var at int64
		err = row(&e.ID, &e.Attempt, &at, &e.Text)
		e.At = fromMicros(at)
		return e, err
	}, `SELECT id, attempt, at, line FROM job_log WHERE job = ? AND id > ? ORDER BY id`+pageOf(0, limit), job, after)
}
