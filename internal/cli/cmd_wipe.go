package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wipe"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func (a *App) wipeCommand() *cobra.Command {
	var method string
	var yes bool
	cmd := &cobra.Command{
		Use:   "wipe DISK",
		Short: "make a disk forget everything",
		Long: `Wipe makes everything on DISK unreadable, and reads back that it is gone.

  --method discard    gives all blocks back, and overwrites both ends: seconds,
                      and as good as the disk's firmware. For most SSDs.
  --method overwrite  writes zeros over every byte and reads all of them back:
                      hours. What an SSD has put aside is not reached.

A disk that holds data is wiped after its name was typed, or with --yes.`,
		Example: "  ingot wipe /dev/sdb\n  ingot wipe /dev/sdc --method overwrite --yes",
		Args:    exactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m := wipe.Method(method)
			if m != wipe.Discard && m != wipe.Overwrite {
				return usageError{fmt.Errorf("--method is discard or overwrite, not %q", method)}
			}
			return a.wipe(cmd.Context(), args[0], m, yes)
		},
	}
	cmd.Flags().StringVar(&method, "method", string(wipe.Discard), "`discard|overwrite`")
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.RegisterFlagCompletionFunc("method", cobra.FixedCompletions([]cobra.Completion{"discard", "overwrite"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// wiped is the result of a wipe.
type wiped struct {
	Target  string      `json:"target"`
	Method  wipe.Method `json:"method"`
	Size    int64       `json:"bytes"`
	Seconds float64     `json:"seconds"`
}

func (r wiped) text(w io.Writer) {
	fmt.Fprintf(w, "%s (%s) is empty, in %s\n", r.Target, report.Bytes(r.Size), report.Seconds(r.Seconds))
}

func (a *App) wipe(ctx context.Context, path string, method wipe.Method, yes bool) error {
	if a.inStore(path) {
		return refuse("%s lies in the folder of the store: it is not wiped", path)
	}
	if !exists(path) {
		return &host.NotFoundError{Path: path}
	}
	target, err := lookAt(ctx, path, deployJob{})
	if err != nil {
		return err
	}
	if err := a.confirm(ctx, target, yes); err != nil {
		return err
	}
	disk, err := host.OpenTarget(path, host.TargetOptions{})
	if err != nil {
		return err
	}
	if err := target.stillIs(disk); err != nil {
		disk.Close()
		return err
	}
	work, started := a.work("wipe"), time.Now()
	stop := a.show(work)
	err = method.Run(ctx, disk, work)
	stop()
	if err == nil {
		err = disk.Reread()
	}
	size := disk.Size()
	if cerr := disk.Close(); err == nil {
		err = cerr
	}
	switch {
	case errors.Is(err, wipe.ErrNoDiscard):
		return refuse("%s: %v (--method overwrite)", path, err)
	case err != nil:
		return &leftError{fmt.Errorf("wipe %s: %w", path, err), fmt.Sprintf("%s is NOT wiped: a part of what it held may still be there.", path), wire.Unfinished}
	}
	r := wiped{path, method, size, time.Since(started).Seconds()}
	return a.Print(r, r.text)
}
