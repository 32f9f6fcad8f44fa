package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// BatchPath names a batch in a path.
type BatchPath struct {
	Batch string `path:"batch" maxLength:"300" doc:"ID"`
}

type batchesQuery struct {
	Open   bool `query:"open" doc:"only those that have not ended"`
	Offset int  `query:"offset" minimum:"0" maximum:"1000000000"`
	Limit  int  `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

type specBody struct{ Body message.Spec }

// spec is the work that is asked for, with machines by their IDs.
func (b builder) spec(ctx context.Context, actor fleet.Actor, in *specBody) (fleet.BatchSpec, error) {
	s := in.Body.Fleet()
	var err error
	s.Machines, err = b.ids(ctx, actor, s.Machines)
	return s, err
}

func addBatches(b builder) {
	ctl := b.api.Control
	ask(b, operation{
		id: "previewBatch", request: "POST /batches/preview", tag: tagWork, role: fleet.Operator, errors: []int{http.StatusNotFound, http.StatusConflict},
		summary: "what submitting would do with each machine, and what stops it",
	}, func(ctx context.Context, actor fleet.Actor, in *specBody) (control.Preview, error) {
		spec, err := b.spec(ctx, actor, in)
		if err != nil {
			return control.Preview{}, err
		}
		return ctl.Preview(ctx, actor, spec)
	})
	ask(b, operation{
		id: "submitBatch", request: "POST /batches", tag: tagWork, role: fleet.Operator, status: http.StatusCreated,
		errors: []int{http.StatusNotFound, http.StatusConflict}, summary: "start work, or refuse it with all that a preview says stops it",
	}, func(ctx context.Context, actor fleet.Actor, in *specBody) (fleet.Batch, error) {
		spec, err := b.spec(ctx, actor, in)
		if err != nil {
			return fleet.Batch{}, err
		}
		return ctl.Submit(ctx, actor, spec)
	})
	ask(b, operation{id: "listBatches", request: "GET /batches", tag: tagWork, role: fleet.Viewer, summary: "a page of work that was asked for, newest first"},
		func(ctx context.Context, actor fleet.Actor, in *batchesQuery) (message.List[fleet.Batch], error) {
			return paged(ctl.Batches(ctx, actor, control.BatchFilter{Open: in.Open, Offset: in.Offset, Limit: in.Limit}))
		})
	ask(b, operation{id: "getBatch", request: "GET /batches/{batch}", tag: tagWork, role: fleet.Viewer, summary: "a batch with its jobs, in their order"},
		func(ctx context.Context, actor fleet.Actor, in *BatchPath) (message.Work, error) {
			batch, jobs, err := ctl.Batch(ctx, actor, in.Batch)
			return message.Work{Batch: batch, Jobs: jobs}, err
		})
	act(b, operation{id: "cancelBatch", request: "POST /batches/{batch}/cancel", tag: tagWork, role: fleet.Operator, errors: []int{http.StatusConflict}, summary: "end all jobs of a batch that have not ended"},
		func(ctx context.Context, actor fleet.Actor, in *BatchPath) error {
			return ctl.Cancel(ctx, actor, in.Batch)
		})
	ask(b, operation{
		id: "retryBatch", request: "POST /batches/{batch}/retry", tag: tagWork, role: fleet.Operator, status: http.StatusCreated, errors: []int{http.StatusConflict},
		summary: "do again what failed or was cancelled of a batch, as a new batch",
	}, func(ctx context.Context, actor fleet.Actor, in *BatchPath) (fleet.Batch, error) {
		return ctl.Retry(ctx, actor, in.Batch)
	})
}

// paged is a page of a list.
func paged[T any](items []T, total int, err error) (message.List[T], error) {
	if items == nil {
		items = []T{}
	}
	return message.List[T]{Items: items, Total: total}, err
}
