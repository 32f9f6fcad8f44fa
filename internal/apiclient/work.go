package apiclient

import (
	"context"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Preview says what Submit would do.
func (c *Client) Preview(ctx context.Context, spec message.Spec) (control.Preview, error) {
	return post[control.Preview](ctx, c, spec, "batches", "preview")
}

// Submit starts work.
func (c *Client) Submit(ctx context.Context, spec message.Spec) (fleet.Batch, error) {
	return post[fleet.Batch](ctx, c, spec, "batches")
}

// Batches are the newest batches, and how many there are in all.
func (c *Client) Batches(ctx context.Context, f control.BatchFilter) ([]fleet.Batch, int, error) {
	l, err := get[message.List[fleet.Batch]](ctx, c, query("open", f.Open, "offset", f.Offset, "limit", f.Limit), "batches")
	return l.Items, l.Total, err
}

// Batch is a batch with its jobs.
func (c *Client) Batch(ctx context.Context, id string) (message.Work, error) {
	return get[message.Work](ctx, c, nil, "batches", id)
}

// Jobs are the newest jobs, and how many there are in all. The machine may be named.
func (c *Client) Jobs(ctx context.Context, f control.JobFilter) ([]fleet.Job, int, error) {
	var states []string
	for _, s := range f.States {
		states = append(states, string(s))
	}
	q := query("machine", f.Machine, "batch", f.Batch, "state", strings.Join(states, ","), "offset", f.Offset, "limit", f.Limit)
	l, err := get[message.List[fleet.Job]](ctx, c, q, "jobs")
	return l.Items, l.Total, err
}

// Job is a job.
func (c *Client) Job(ctx context.Context, id string) (fleet.Job, error) {
	return get[fleet.Job](ctx, c, nil, "jobs", id)
}

// JobLog is a piece of a job's log, after a line; it is empty at the end.
func (c *Client) JobLog(ctx context.Context, id string, after int64) ([]control.LogEntry, error) {
	return items(get[message.List[control.LogEntry]](ctx, c, query("after", strconv.FormatInt(after, 10)), "jobs", id, "log"))
}

// Cancel ends a job or a batch.
func (c *Client) Cancel(ctx context.Context, id string) error {
	return c.post(ctx, nil, kindOf(id), id, "cancel")
}

// Retry does again what failed or was cancelled of a job or a batch.
func (c *Client) Retry(ctx context.Context, id string) (fleet.Batch, error) {
	return post[fleet.Batch](ctx, c, nil, kindOf(id), id, "retry")
}

// kindOf is where an ID belongs in paths.
func kindOf(id string) string {
	if strings.HasPrefix(id, "b-") {
		return "batches"
	}
	return "jobs"
}
