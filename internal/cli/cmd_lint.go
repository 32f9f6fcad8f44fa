package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/lint"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// seriousError says that --strict found something.
type seriousError struct{ n int }

func (e *seriousError) Error() string { return fmt.Sprintf("serious findings: %d", e.n) }

func (a *App) lintCommand() *cobra.Command {
	var strict bool
	cmd := &cobra.Command{
		Use:   "lint IMAGE|SOURCE",
		Short: "what of an image, or of a disk, will matter on other machines",
		Long: `Lint looks through an image, or a disk or image file before it is captured, for
what is not ready for other machines: a Windows that was not generalized, volumes that
were not cleanly unmounted, secrets, names that hold on one machine only, what is
left of the reference PC. Each finding says what a deploy does about it, without a
profile and with one, and what you can do. It only reads.

A name without a slash is an image's, if the store has such an image; a file in the
current folder is ./NAME. A disk that is in use is refused, as by a capture.

Volumes that were captured by blocks, and those of a disk, are mounted read-only,
in a namespace that nobody else sees; this needs root. What was captured with --files
needs no root.

The exit code is 0 whatever is found; with --strict it is 3 when a finding is
serious. IDs and severities of findings are a contract, for scripts.`,
		Example: `  ingot lint lab-pc
  ingot lint /dev/sda
  ingot lint lab-pc:v3 --strict --json`,
		Args:              exactArgs(1),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.lint(cmd.Context(), args[0], strict)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "exit with 3 when something serious is found")
	return cmd
}

// linted is the result of a lint.
type linted struct {
	Subject string `json:"subject"`
	Serious int    `json:"serious"`
	Warning int    `json:"warning"`
	Info    int    `json:"info"`
	*lint.Report
}

func (a *App) lint(ctx context.Context, arg string, strict bool) error {
	job, done, err := a.lintJob(ctx, arg)
	if err != nil {
		return err
	}
	defer done()
	job.Formats, job.Scratch = all.Formats(), (&deployFlags{}).scratchFolder()
	report, err := lint.Look(ctx, job)
	if ctx.Err() != nil {
		return err
	}
	out := linted{arg, report.Count(lint.Serious), report.Count(lint.Warning), report.Count(lint.Info), report}
	err = errors.Join(err, a.Answer(out, out.text))
	if err == nil && strict && out.Serious > 0 {
		err = &seriousError{out.Serious}
	}
	return err
}

// lintJob opens what an argument names: an image of the store, else a disk or a file.
func (a *App) lintJob(ctx context.Context, arg string) (lint.Job, func(), error) {
	if strings.Contains(arg, "/") {
		return a.lintDisk(ctx, arg)
	}
	s, img, err := a.openImage(ctx, arg)
	info, serr := os.Stat(arg)
	if file := serr == nil && !info.IsDir(); file && (is[*catalog.NotFoundError](err) || errors.Is(err, store.ErrNoStore)) {
		return a.lintDisk(ctx, arg)
	}
	if err != nil {
		return lint.Job{}, nil, err
	}
	job := lint.Job{Source: content.NewStored(s, img.Manifest), Manifest: img.Manifest}
	return job, func() {}, a.mountsFor(browse.New(job.Source, img.Manifest, ""), wholeSystem)
}

func (a *App) lintDisk(ctx context.Context, path string) (lint.Job, func(), error) {
	if err := a.privateMounts("the files of a disk are read through a mount"); err != nil {
		return lint.Job{}, nil, err
	}
	src, err := openSource(path)
	if err != nil {
		return lint.Job{}, nil, err
	}
	disk, err := survey.Look(ctx, src, all.Formats())
	if err == nil {
		err = refuseUnfinished(src)
	}
	if err != nil {
		src.Close()
		return lint.Job{}, nil, fmt.Errorf("%s: %w", path, err)
	}
	job := lint.Job{Live: true}
	job.Manifest, job.Source = lint.OfDisk(disk, describeSource(src, disk))
	return job, func() { src.Close() }, nil
}

func (l linted) text(w io.Writer) {
	for _, s := range l.Systems {
		fmt.Fprintf(w, "%s %s on partition %d\n", s.Kind, s.Name, s.Partition)
	}
	var group lint.Severity
	for _, f := range l.Findings {
		if f.Severity != group {
			group = f.Severity
			fmt.Fprintf(w, "\n%s\n", strings.ToUpper(string(group)))
		}
		writeFinding(w, f)
	}
	if len(l.Findings) > 0 {
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "serious: %d, warnings: %d, infos: %d\n", l.Serious, l.Warning, l.Info)
}

func writeFinding(w io.Writer, f lint.Finding) {
	fmt.Fprintf(w, "\n  %s", f.ID)
	if f.Partition > 0 {
		fmt.Fprintf(w, ", partition %d", f.Partition)
	}
	if f.Path != "" {
		fmt.Fprintf(w, ", %s", browse.Printable(f.Path))
	}
	fmt.Fprintf(w, "\n    %s %s\n", f.What, f.Why)
	deploy := f.Plain
	if f.Profiled != f.Plain && f.Profiled != "The same." {
		deploy += " With a profile: " + f.Profiled
	}
	fmt.Fprintf(w, "    A deploy: %s\n    You: %s\n", deploy, f.Do)
}
