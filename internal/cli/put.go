package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/adapt"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// deployJob is what deploy and clone share: some content for a target.
type deployJob struct {
	verb      string
	what      string // what is put there, for people
	name      string // of the image or disk, for a boot entry
	table     *part.Table
	regions   []image.Region
	partition int   // the only one to put, 0 for the whole disk
	index     int   // of its region
	size      int64 // of a raw image file that is made for it, bytes
	sector    int   // logical sector size of where it comes from, bytes
	content   content.Source
	fl        deployFlags
}

// deployed is the result of a deploy or a clone.
type deployed struct {
	What    string            `json:"what"`
	Target  string            `json:"target"`
	Data    int64             `json:"dataBytes"`
	Written int64             `json:"writtenBytes"`
	Same    int64             `json:"sameBytes"`
	NewIDs  map[string]string `json:"newIDs,omitempty"`
	Seconds float64           `json:"seconds"`
	Boot    *adapt.Started    `json:"boot,omitempty"`
	*adapt.Report
}

func (r deployed) text(w io.Writer) {
	if r.Report != nil {
		for _, n := range r.Notes {
			fmt.Fprintf(w, "Note: %s.\n", strings.TrimSuffix(n, "."))
		}
	}
	fmt.Fprintf(w, "%s is on %s: %s written, %s were there already, in %s\n",
		r.What, r.Target, report.Bytes(r.Written), report.Bytes(r.Same), report.Seconds(r.Seconds))
	writeStarted(w, r.Boot)
}

// put plans, shows, asks and runs.
func (a *App) put(ctx context.Context, path string, job deployJob) (err error) {
	if a.inStore(path) {
		return refuse("%s lies in the folder of the store: it is no target", path)
	}
	looks := job.checksBoot()
	if looks {
		// In a container even root may not be allowed to; the deploy needs no mounts.
		if err := a.privateMounts("whether the disk will start is looked at"); err != nil {
			a.Note("whether %s will start cannot be looked at: %v", path, err)
			looks = false
		}
	}
	target, err := lookAt(ctx, path, job)
	if err != nil {
		return err
	}
	work := a.work(job.verb)
	ad, err := a.adapt(ctx, &job, target.Target, work)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if ad != nil {
		defer func() { err = errors.Join(err, ad.session.Close()) }()
	}
	plan, err := job.plan(target.Target)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if job.fl.dryRun {
		return a.Answer(planReport(plan, target, ad), func(w io.Writer) { a.writePlan(w, plan, target, ad) })
	}
	if !a.quiet && !a.json {
		a.tell(func(w io.Writer) { a.writePlan(w, plan, target, ad) })
	}
	if err := a.confirm(ctx, target, job.fl.yes); err != nil {
		return err
	}
	started := time.Now()
	run := func(ctx context.Context, disk *host.Target) error { return plan.Run(ctx, job.content, disk, work) }
	if ad != nil {
		if run, err = ad.runner(ctx, plan, work); err != nil {
			return &leftError{err, fmt.Sprintf("Nothing was written to %s.", path), wire.Untouched}
		}
	}
	if err := a.carryOut(ctx, target, job, work, run); err != nil {
		return err
	}
	result := deployed{
		What: job.what, Target: path, Data: plan.Bytes(), Written: work.Written.Load(), Same: work.Same.Load(),
		NewIDs: plan.NewIDs, Seconds: time.Since(started).Seconds(),
	}
	if ad != nil {
		result.NewIDs, result.Report = ad.newIDs, ad.report
	}
	if looks {
		if result.Boot, err = a.started(ctx, path, job); err != nil {
			return &leftError{err, fmt.Sprintf("Everything was written to %s and is what it should be.", path), wire.Complete}
		}
	}
	if job.fl.bootEntry {
		if err := a.addBootEntry(result.Boot, job.name); err != nil {
			return err
		}
	}
	return a.Print(result, result.text)
}

// carryOut opens the target for itself alone and runs the plan on it.
func (a *App) carryOut(ctx context.Context, t targetLook, job deployJob, work *progress.Work, run func(context.Context, *host.Target) error) error {
	opts := host.TargetOptions{SectorSize: job.sector}
	if t.missing {
		opts.CreateSize = job.size
	}
	disk, err := host.OpenTarget(t.Path, opts)
	if err != nil {
		return err
	}
	if err := t.stillIs(disk); err != nil {
		disk.Close()
		return err
	}
	stop := a.show(work)
	err = run(ctx, disk)
	stop()
	if cerr := disk.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return &leftError{err, fmt.Sprintf("%s is NOT complete and does not boot. Run the same command again to finish it: what is there already is not written twice.", t.Path), wire.Unfinished}
	}
	return nil
}
