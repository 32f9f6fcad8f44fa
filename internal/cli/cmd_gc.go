package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/gc"
	"github.com/ingot-imaging/ingot/internal/report"
)

func (a *App) gcCommand() *cobra.Command {
	opts := gc.Options{RepackBelow: gc.DefaultRepackBelow}
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "free the space of what no image needs",
		Long: `Gc deletes what no image in the store needs any more: after 'ingot rm', and after
captures that were interrupted. It may run beside captures and deploys, and may
be stopped or killed at any moment. What a running capture could still refer to
stays until a later gc.

Nothing is deleted while it cannot be read what some image needs.`,
		Example: "  ingot gc --dry-run\n  ingot gc",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if opts.RepackBelow < 0 || opts.RepackBelow > 100 {
				return usageError{fmt.Errorf("--repack-below %d is no percentage", opts.RepackBelow)}
			}
			return a.gc(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&opts.DryRun, "dry-run", false, "say what would be freed, and change nothing")
	f.IntVar(&opts.RepackBelow, "repack-below", opts.RepackBelow, "move what is needed out of packs of which less than this `percentage` is needed")
	return cmd
}

func (a *App) gc(ctx context.Context, opts gc.Options) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	work := a.work("gc")
	stop := a.show(work)
	result, err := gc.Run(ctx, s, opts, work)
	stop()
	var damage *gc.DamageError
	if err != nil && !errors.As(err, &damage) {
		return err
	}
	return errors.Join(a.Print(result, func(w io.Writer) { freed(w, result) }), err)
}

func freed(w io.Writer, r gc.Result) {
	would := ""
	if r.DryRun {
		would = "would have "
	}
	fmt.Fprintf(w, "%sfreed %s in %d objects; %d images stay\n", would, report.Bytes(r.Freed), r.Objects, r.Images)
	if r.Moved > 0 {
		fmt.Fprintf(w, "%smoved %s out of %d packs that were mostly garbage\n", would, report.Bytes(r.Moved), r.Packs)
	}
	for _, e := range r.Expired {
		fmt.Fprintf(w, "took for dead, and will not let publish: %s\n", e)
	}
	if r.Waiting == 0 {
		return
	}
	fmt.Fprintf(w, "%s wait until these have ended; run gc again then\n", report.Bytes(r.Waiting))
	for _, l := range r.WaitingFor {
		fmt.Fprintf(w, "  %s\n", l)
	}
}
