package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/lint"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/store"
)

func (a *App) captureCommand() *cobra.Command {
	var opts capture.Options
	var fo fileOptions
	var note string
	cmd := &cobra.Command{
		Use:   "capture SOURCE NAME[:TAG]",
		Short: "make an image of a disk, a partition or a raw image file",
		Long: `Capture takes what is used on SOURCE into the store as image NAME. Without TAG
the image becomes the next of NAME:v1, NAME:v2, ... The source is only read.

A volume that was not cleanly unmounted is refused, because its map of free
space cannot be trusted; the message says what to do about it.

With --files, volumes of ext2, ext3, ext4, XFS, btrfs and NTFS are taken as trees
of files, for a file system of any size and kind, and everything else of a disk
by blocks. SOURCE may also be a directory: its files are taken as they are, and
those that change meanwhile are named (exit code 6). Left out, and listed, are page
and hibernation files, temporary files and what was swapped out.

--exclude takes patterns as '*.iso' (in any directory), '/home/*/.cache/**' (what
is in these directories) or '/srv/**/tmp' (** stands for any directories).`,
		Example: `  ingot capture /dev/sda lab-pc
  ingot capture /dev/nvme0n1 office:2026-11 --note 'with printers'
  ingot capture /dev/sdb data --partition 1,3
  ingot capture disk.img lab-pc --store /srv/images
  ingot capture --files /dev/sda office
  ingot capture --files / server --exclude '/srv/**'`,
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.capture(cmd.Context(), args[0], args[1], note, opts, fo)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&opts.Partitions, "partition", nil, "take only these partitions, by `number`")
	addTakeFlags(cmd, &opts)
	f.BoolVar(&opts.Rescue, "rescue", false, "read around unreadable sectors and record them (exit code 6)")
	fo.add(f)
	f.StringVar(&note, "note", "", "`text` to keep with the image")
	return cmd
}

// addTakeFlags adds the flags that capture and clone share.
func addTakeFlags(cmd *cobra.Command, opts *capture.Options) {
	f := cmd.Flags()
	f.BoolVar(&opts.Raw, "raw", false, "take every sector, whatever the file systems say is free")
	f.BoolVar(&opts.AllowDirty, "allow-dirty", false, "take every sector of volumes that are not clean, instead of refusing")
	f.BoolVar(&opts.KeepSwap, "keep-swap", false, "take the contents of swap, page and hibernation files too")
}

// captured is the result of a capture.
type captured struct {
	ID         chunk.ID `json:"id"`
	Name       string   `json:"name"`
	Data       int64    `json:"dataBytes"`
	New        int64    `json:"newBytes"`
	Reused     int64    `json:"reusedBytes"`
	Stored     int64    `json:"storedBytes"`
	Unreadable int64    `json:"unreadableBytes"`
	Seconds    float64  `json:"seconds"`
	Notes      []string `json:"notes,omitempty"`

	Changed []files.Change `json:"changed,omitempty"` // files, while they were read
}

func (a *App) capture(ctx context.Context, path, ref, note string, opts capture.Options, fo fileOptions) error {
	name, tag, err := store.ParseName(ref)
	if err != nil {
		return usageError{err}
	}
	if err := fo.check(opts); err != nil {
		return err
	}
	t, err := a.planTaking(ctx, path, opts, fo)
	if err != nil {
		return err
	}
	defer t.Close()
	plan := t.plan
	s, err := a.openStore(ctx, true)
	if err != nil {
		return err
	}
	if err := refuseTaken(ctx, s, name, tag); err != nil {
		return err
	}
	a.announce(plan)
	started := time.Now()
	work := a.work("capture")
	var result captured
	err = a.withSession(ctx, s, "capture of "+path, func(ses *store.Session) error {
		regions, err := a.take(ctx, plan, s, ses, work)
		if err != nil {
			return err
		}
		m := newManifest(plan, s, note, regions)
		t.note(m)
		result, err = publish(ctx, s, ses, m, name, tag)
		return err
	})
	if err != nil {
		return &leftError{err: err, left: result.left()}
	}
	result.Notes = plan.Notes()
	result.New, result.Reused, result.Stored = work.New.Load(), work.Reused.Load(), work.Stored.Load()
	result.Seconds = time.Since(started).Seconds()
	result.Changed = t.changed()
	err = a.Print(result, result.text)
	a.hint(t, result.Name)
	switch {
	case err == nil && result.Unreadable > 0:
		return errUnreadable
	case err == nil && len(result.Changed) > 0:
		return &changedError{result.Changed}
	}
	return err
}

// hint tells of what two machines must not share, where that is known without a
// look into volumes.
func (a *App) hint(t *taking, name string) {
	n := 0
	for _, tree := range t.trees {
		n += lint.Twins(tree.Listing)
	}
	if n > 0 {
		a.Note("things in this image that should differ on every machine: %d; see 'ingot lint %s'", n, name)
	}
}

// left says what a capture that failed leaves.
func (r captured) left() string {
	if r.Name != "" {
		return "The image " + r.Name + " was made all the same."
	}
	return "No image was made. What was stored so far is found by the next capture, or removed by 'ingot gc'."
}

// refuseTaken refuses a name that stands for an image already.
func refuseTaken(ctx context.Context, s *store.Store, name, tag string) error {
	taken, err := catalog.Taken(ctx, s, name, tag)
	if err == nil && taken {
		err = nameTaken(name, tag)
	}
	return err
}

// announce says what is worth knowing before a capture starts; with --verbose
// what is taken of each region.
func (a *App) announce(plan *capture.Plan) {
	if a.verbose && !a.quiet {
		a.tell(func(w io.Writer) { writeTake(w, plan) })
	}
	for _, n := range plan.Notes() {
		a.Note("%s", n)
	}
}

// take runs the plan and shows how it goes.
func (a *App) take(ctx context.Context, plan *capture.Plan, s *store.Store, ses *store.Session, work *progress.Work) ([]image.Region, error) {
	for _, err := range ses.Damaged() {
		a.Note("warning: %v; run 'ingot check'", err)
	}
	defer a.show(work)()
	return plan.Run(ctx, s, ses, work)
}

// withSession runs f in a session and closes it whatever happens.
func (a *App) withSession(ctx context.Context, s *store.Store, doing string, f func(*store.Session) error) error {
	ses, err := s.Begin(ctx, doing)
	if err != nil {
		return err
	}
	return errors.Join(f(ses), ses.Close(ctx))
}

func (r captured) text(w io.Writer) {
	fmt.Fprintf(w, "captured %s (%s): %s in %s", r.Name, r.ID.Short(), report.Bytes(r.Data), report.Seconds(r.Seconds))
	fmt.Fprintf(w, ", %s new, %s added to the store\n", report.Bytes(r.New), report.Bytes(r.Stored))
	if r.Unreadable > 0 {
		fmt.Fprintf(w, "WARNING: %s could not be read and are zeros in the image\n", report.Bytes(r.Unreadable))
	}
	for _, c := range r.Changed[:min(noted, len(r.Changed))] {
		fmt.Fprintf(w, "WARNING: %s: %s while it was read\n", c.Path, c.What)
	}
}
