package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func (r *remote) jobsWatchCommand() *cobra.Command {
	return &cobra.Command{
		Use: "watch BATCH", Short: "follow a batch to its end", Example: "  ingot jobs watch b-3k2j9x0q1z", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if !strings.HasPrefix(args[0], "b-") {
				j, err := c.Job(ctx, args[0])
				if err != nil {
					return err
				}
				args[0] = j.Batch
			}
			return r.follow(ctx, c, args[0])
		}),
	}
}

const (
	// lookOften is how often a batch is read at most, lookAnyway at least: events tell
	// that something changed, and may be lost.
	lookOften  = 500 * time.Millisecond
	lookAnyway = 5 * time.Second
	// patience is how long a server that answered before may not answer: work goes on
	// without it, and so does who follows.
	patience = 10 * time.Minute
)

// follow shows a batch until all of its jobs have ended, and fails unless all are
// done.
func (r *remote) follow(ctx context.Context, c *apiclient.Client, batch string) error {
	work, err := r.watch(ctx, c, batch)
	if err != nil {
		if ctx.Err() != nil {
			r.app.Note("the work goes on; 'ingot jobs watch %s' follows it again", batch)
		}
		return err
	}
	if err := r.app.Print(work, func(w io.Writer) { writeWork(w, work) }); err != nil {
		return err
	}
	return outcome(work)
}

// watch draws a batch until all of its jobs have ended.
func (r *remote) watch(ctx context.Context, c *apiclient.Client, batch string) (message.Work, error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	changed, failed := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		failed <- c.Watch(listening, []control.Topic{control.TopicJob, control.TopicBatch}, func(message.Event) error {
			select {
			case changed <- struct{}{}:
			default: // it will be looked at anyway
			}
			return nil
		})
	}()
	live := r.newLive()
	defer live.end()
	var answered time.Time
	for {
		work, err := c.Batch(ctx, batch)
		switch {
		case err == nil:
			answered = time.Now()
			live.show(work)
			if ended(work) {
				return work, nil
			}
		case !passing(err) || time.Since(answered) > patience:
			return work, err
		}
		select {
		case <-ctx.Done():
			return work, ctx.Err()
		case err := <-failed:
			return work, err
		case <-changed:
		case <-time.After(lookAnyway):
		}
		select {
		case <-ctx.Done():
			return work, ctx.Err()
		case <-time.After(lookOften):
		}
	}
}

// passing reports whether an error may pass: a server that is started again.
func passing(err error) bool { return errors.As(err, new(*apiclient.UnreachableError)) }

func ended(w message.Work) bool {
	for _, j := range w.Jobs {
		if !j.State.Ended() {
			return false
		}
	}
	return true
}

// outcome is nil when every job is done.
func outcome(w message.Work) error {
	var names []string
	for _, j := range w.Jobs {
		if j.State != fleet.Done {
			names = append(names, fmt.Sprintf("%s (%s)", printable(j.Name), j.State))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return &cli.CodedError{
		Err:   fmt.Errorf("%d of %d jobs are not done: %s", len(names), len(w.Jobs), strings.Join(names, ", ")),
		Code:  wire.ExitFailed,
		Hints: []string{fmt.Sprintf("'ingot jobs log JOB' says what happened, 'ingot jobs retry %s' does them again.", w.Batch.ID)},
	}
}

// writeWork shows a batch with its jobs.
func writeWork(w io.Writer, work message.Work) {
	b := work.Batch
	facts(w, "Batch", b.ID, "Kind", string(b.Spec.Kind), "Image", b.Spec.Image, "Profile", b.Spec.Profile, "Jobs", counts(b.Counts),
		"Made", moment(b.Made)+" by "+b.MadeBy, "Not before", moment(b.Spec.At), "Ended", moment(b.Ended), "Bytes", report.Bytes(b.Bytes), "Notes", b.Spec.Notes)
	var rows [][]string
	for _, j := range work.Jobs {
		rows = append(rows, []string{j.Name, j.ID, string(j.State), took(j), reason(j)})
	}
	table(w, []string{"MACHINE", "JOB", "STATE", "TOOK", "WHY"}, rows)
}
