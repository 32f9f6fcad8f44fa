package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// JobPath names a job in a path.
type JobPath struct {
	Job string `path:"job" maxLength:"300" doc:"ID"`
}

type jobsQuery struct {
	Machine string           `query:"machine" maxLength:"300" doc:"ID or name"`
	Batch   string           `query:"batch" maxLength:"300" doc:"ID"`
	State   []fleet.JobState `query:"state" nullable:"false" maxItems:"20" doc:"one or more of them, with commas"`
	Offset  int              `query:"offset" minimum:"0" maximum:"1000000000"`
	Limit   int              `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type logQuery struct {
	JobPath
	After int64 `query:"after" minimum:"0" doc:"ID of the last line that is known"`
}

func addJobs(b builder) {
	ctl := b.api.Control
	ask(b, operation{
		id: "listJobs", request: "GET /jobs", tag: tagWork, role: fleet.Viewer, errors: []int{http.StatusNotFound},
		summary: "a page of jobs: of one batch in their order, otherwise the newest first",
	}, func(ctx context.Context, actor fleet.Actor, in *jobsQuery) (message.List[fleet.Job], error) {
		f := control.JobFilter{Batch: in.Batch, States: in.State, Offset: in.Offset, Limit: in.Limit}
		if in.Machine != "" {
			id, err := b.id(ctx, actor, in.Machine)
			if err != nil {
				return message.List[fleet.Job]{}, err
			}
			f.Machine = id
		}
		return paged(ctl.Jobs(ctx, actor, f))
	})
	ask(b, operation{id: "getJob", request: "GET /jobs/{job}", tag: tagWork, role: fleet.Viewer, summary: "a job with its newest progress"},
		func(ctx context.Context, actor fleet.Actor, in *JobPath) (fleet.Job, error) {
			return ctl.Job(ctx, actor, in.Job)
		})
	ask(b, operation{id: "getJobLog", request: "GET /jobs/{job}/log", tag: tagWork, role: fleet.Viewer, summary: "lines of a job's log, oldest first, at most 1000"},
		func(ctx context.Context, actor fleet.Actor, in *logQuery) (message.List[control.LogEntry], error) {
			return listed(ctl.JobLog(ctx, actor, in.Job, in.After))
		})
	act(b, operation{id: "cancelJob", request: "POST /jobs/{job}/cancel", tag: tagWork, role: fleet.Operator, errors: []int{http.StatusConflict}, summary: "end a job"},
		func(ctx context.Context, actor fleet.Actor, in *JobPath) error { return ctl.Cancel(ctx, actor, in.Job) })
	ask(b, operation{
		id: "retryJob", request: "POST /jobs/{job}/retry", tag: tagWork, role: fleet.Operator, status: http.StatusCreated, errors: []int{http.StatusConflict},
		summary: "do again a job that failed or was cancelled, in a new batch",
	}, func(ctx context.Context, actor fleet.Actor, in *JobPath) (fleet.Batch, error) {
		return ctl.Retry(ctx, actor, in.Job)
	})
}
