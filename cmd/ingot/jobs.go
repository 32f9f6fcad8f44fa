package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/report"
)

func (r *remote) jobsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "jobs",
		Short: "work for the machines of a server",
		Long: `Jobs starts work on machines and follows it. What is asked for at once is a batch,
b-...; it has a job, j-..., for each machine. Before anything is started, the plan is
shown and you are asked.

With --wait, a command follows its batch to the end: 0 when all jobs are done, 1 when
any failed or was cancelled, 130 when you interrupt it, which ends the following and
not the work.`,
		Example: "  ingot jobs deploy lab-pc --group lab --profile lab --wait\n  ingot jobs capture lab-pc --on ref-pc\n  ingot jobs list --state running",
	}
	return cli.Family(c, append(r.submitCommands(),
		r.jobsListCommand(), r.jobsBatchesCommand(), r.jobsShowCommand(), r.jobsWatchCommand(), r.jobsCancelCommand(), r.jobsRetryCommand(), r.jobsLogCommand())...)
}

func (r *remote) jobsListCommand() *cobra.Command {
	f := control.JobFilter{}
	var states []string
	c := &cobra.Command{
		Use: "list", Short: "list jobs, newest first", Args: cli.Args(0, 0),
		Example: "  ingot jobs list\n  ingot jobs list --machine lab-07\n  ingot jobs list --state running,failed",
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			f.States = nil
			for _, s := range states {
				f.States = append(f.States, fleet.JobState(s))
			}
			jobs, total, err := c.Jobs(ctx, f)
			if err != nil {
				return err
			}
			return r.app.Answer(jobs, func(w io.Writer) {
				var rows [][]string
				for _, j := range jobs {
					rows = append(rows, []string{j.ID, j.Batch, j.Name, string(j.Kind), string(j.State), moment(j.Made), took(j), reason(j)})
				}
				table(w, []string{"ID", "BATCH", "MACHINE", "KIND", "STATE", "MADE", "TOOK", "WHY"}, rows)
				r.rest(len(jobs), total)
			})
		}),
	}
	fl := c.Flags()
	fl.StringVar(&f.Machine, "machine", "", "only those of a `machine`")
	fl.StringVar(&f.Batch, "batch", "", "only those of a batch, by its `ID`")
	fl.StringSliceVar(&states, "state", nil, "only those in one of these `states`: scheduled, queued, running, stopping, done, failed, cancelled")
	fl.IntVar(&f.Limit, "limit", 100, "how `many` at most, up to 1000")
	return c
}

// rest tells that there is more than what was listed.
func (r *remote) rest(listed, total int) {
	if listed < total {
		r.app.Note("these are the newest %d of %d; --limit shows more", listed, total)
	}
}

// took is how long a job took, or has been running.
func took(j fleet.Job) string {
	switch {
	case j.Started.IsZero():
		return ""
	case j.Ended.IsZero():
		return report.Duration(time.Since(j.Started))
	default:
		return report.Duration(j.Ended.Sub(j.Started))
	}
}

// reason is why a job is in its state, for people.
func reason(j fleet.Job) string {
	if j.State == fleet.Running && j.Progress.Phase != "" {
		return phase(j)
	}
	if j.State == fleet.Failed && j.Result != nil && j.Result.Error != "" {
		return firstLine(j.Result.Error)
	}
	return firstLine(j.Why)
}

// phase is what a running job does, and how far it is.
func phase(j fleet.Job) string {
	p := j.Progress
	text := p.Phase
	if p.Total > 0 {
		text += fmt.Sprintf(" %d%%", 100*min(p.Done, p.Total)/p.Total)
	}
	if p.Rate > 0 {
		text += ", " + report.Bytes(p.Rate) + "/s"
	}
	if p.Left > 0 {
		text += ", " + report.Duration(time.Duration(p.Left)*time.Second) + " left"
	}
	return text
}

func (r *remote) jobsBatchesCommand() *cobra.Command {
	var f control.BatchFilter
	c := &cobra.Command{
		Use: "batches", Short: "list what was asked for, newest first", Example: "  ingot jobs batches --open", Args: cli.Args(0, 0),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, _ []string) error {
			list, total, err := c.Batches(ctx, f)
			if err != nil {
				return err
			}
			return r.app.Answer(list, func(w io.Writer) {
				var rows [][]string
				for _, b := range list {
					rows = append(rows, []string{b.ID, string(b.Spec.Kind), b.Spec.Image, counts(b.Counts), moment(b.Made), b.MadeBy, moment(b.Ended)})
				}
				table(w, []string{"ID", "KIND", "IMAGE", "JOBS", "MADE", "BY", "ENDED"}, rows)
				r.rest(len(list), total)
			})
		}),
	}
	c.Flags().BoolVar(&f.Open, "open", false, "only those that have not ended")
	c.Flags().IntVar(&f.Limit, "limit", 50, "how `many` at most, up to 1000")
	return c
}

// counts are how many jobs are in which state.
func counts(n map[fleet.JobState]int) string {
	var parts []string
	for _, s := range []fleet.JobState{fleet.Scheduled, fleet.Queued, fleet.Running, fleet.Stopping, fleet.Done, fleet.Failed, fleet.Cancelled} {
		if n[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n[s], s))
		}
	}
	return strings.Join(parts, ", ")
}

func (r *remote) jobsShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "a batch with its jobs, or a job", Example: "  ingot jobs show b-3k2j9x0q1z", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if strings.HasPrefix(args[0], "b-") {
				work, err := c.Batch(ctx, args[0])
				if err != nil {
					return err
				}
				return r.app.Answer(work, func(w io.Writer) { writeWork(w, work) })
			}
			j, err := c.Job(ctx, args[0])
			if err != nil {
				return err
			}
			return r.app.Answer(j, func(w io.Writer) { writeJob(w, j) })
		}),
	}
}

func writeJob(w io.Writer, j fleet.Job) {
	facts(w, "Job", j.ID, "Batch", j.Batch, "Machine", j.Name, "Kind", string(j.Kind), "State", string(j.State), "Why", j.Why, "Host name", j.Hostname,
		"Disk", j.Disk, "Attempt", fmt.Sprint(j.Attempt), "Made", moment(j.Made), "Started", moment(j.Started), "Ended", moment(j.Ended), "Took", took(j))
	if j.State == fleet.Running {
		facts(w, "Phase", phase(j))
	}
	res := j.Result
	if res == nil {
		return
	}
	facts(w, "Error", res.Error, "What to do", res.Hint, "Disk is", string(res.Target), "Image", res.Name, "Written", report.Bytes(res.Progress.Written),
		"Fetched", report.Bytes(res.Progress.Fetched), "Was there", report.Bytes(res.Progress.Same),
		"Time", fmt.Sprintf("%s; waited %s for the network, %s for the disk; %s of processor", report.Seconds(res.Time.Total), report.Seconds(res.Time.Network), report.Seconds(res.Time.Disk), report.Seconds(res.Time.CPU)))
}

func (r *remote) jobsCancelCommand() *cobra.Command {
	return &cobra.Command{
		Use: "cancel ID...", Short: "end jobs, or all jobs of batches", Example: "  ingot jobs cancel b-3k2j9x0q1z", Args: cli.Args(1, 1000),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			for _, id := range args {
				if err := c.Cancel(ctx, id); err != nil {
					return err
				}
			}
			return r.done(args, "%s: cancelled; jobs that run end in good order", strings.Join(args, ", "))
		}),
	}
}

func (r *remote) jobsRetryCommand() *cobra.Command {
	var wait bool
	c := &cobra.Command{
		Use: "retry ID", Short: "do again what failed or was cancelled of a batch, or a job", Example: "  ingot jobs retry b-3k2j9x0q1z --wait", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			batch, err := c.Retry(ctx, args[0])
			if err != nil {
				return err
			}
			return r.started(ctx, c, batch, wait)
		}),
	}
	c.Flags().BoolVar(&wait, "wait", false, "follow it to the end")
	return c
}

func (r *remote) jobsLogCommand() *cobra.Command {
	return &cobra.Command{
		Use: "log JOB", Short: "what a job's agent said", Example: "  ingot jobs log j-3k2j9x0q1z", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			lines := []control.LogEntry{}
			for after := int64(0); ; {
				more, err := c.JobLog(ctx, args[0], after)
				if err != nil {
					return err
				}
				if len(more) == 0 {
					break
				}
				lines = append(lines, more...)
				after = more[len(more)-1].ID
			}
			return r.app.Answer(lines, func(w io.Writer) {
				for _, l := range lines {
					fmt.Fprintf(w, "%s %s\n", l.At.Local().Format("15:04:05"), printable(l.Text))
				}
			})
		}),
	}
}
