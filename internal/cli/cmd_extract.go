package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/report"
)

func (a *App) extractCommand() *cobra.Command {
	var opts browse.ExtractOptions
	cmd := &cobra.Command{
		Use:   "extract IMAGE PATH DIR",
		Short: "copy files out of an image into a folder",
		Long: `Extract makes in DIR what is in the directory PATH, or the one file PATH. DIR is
made when it is not there, and must be empty without --overwrite. Modes, times,
links, hard links, attributes, access control lists and holes are kept; owners too
when root does it. No link that is in DIR, or comes there, is followed. Device
nodes are left out without --devices. What the file system of DIR cannot hold, such
as the security descriptors of NTFS, is said at the end.

` + pathHelp,
		Example: `  ingot extract lab-pc /home/anna /srv/restored
  ingot extract lab-pc:v2 /etc/fstab . --overwrite
  ingot extract lab-pc 2:/ /mnt/copy --devices`,
		Args:              exactArgs(3),
		ValidArgsFunction: a.completeImageThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.Owners = os.Geteuid() == 0
			return a.extract(cmd.Context(), args[0], parsePlace(args[1]), args[2], opts)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&opts.Devices, "devices", false, "make device nodes too")
	f.BoolVar(&opts.Overwrite, "overwrite", false, "replace files in DIR, which then need not be empty")
	return cmd
}

// extracted is the result of an extract.
type extracted struct {
	Dir     string      `json:"dir"`
	Files   int64       `json:"files"`
	Bytes   int64       `json:"bytes"`
	Devices int64       `json:"devicesLeftOut"`
	Lost    []lostThing `json:"lost,omitempty"`
	Seconds float64     `json:"seconds"`
}

// lostThing is something that the folder's file system could not hold.
type lostThing struct {
	What  string `json:"what"`
	Files int64  `json:"files"`
	First string `json:"first"`
}

func (a *App) extract(ctx context.Context, ref string, at place, dir string, opts browse.ExtractOptions) error {
	var x browse.Extracted
	started := time.Now()
	err := a.withTree(ctx, ref, at, func(t *browse.Tree) error {
		if _, err := t.Resolve(at.path, true); err != nil {
			return err
		}
		if err := emptyFolder(dir, opts.Overwrite); err != nil {
			return err
		}
		work := a.work("extract")
		defer a.show(work)()
		var err error
		x, err = t.Extract(ctx, at.path, dir, opts, work)
		if err != nil {
			err = &leftError{err: err, left: dir + " holds a part of the files."}
		}
		return err
	})
	if err != nil {
		return err
	}
	result := extracted{Dir: dir, Files: x.Files, Bytes: x.Bytes, Devices: x.Devices, Seconds: time.Since(started).Seconds()}
	for _, l := range x.Lost {
		result.Lost = append(result.Lost, lostThing{l.What, l.Files, l.First})
	}
	return a.Print(result, result.text)
}

// emptyFolder makes a folder that is not there, and refuses one that holds
// something unless that may be replaced.
func emptyFolder(dir string, overwrite bool) error {
	err := os.Mkdir(dir, 0o755)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(1)
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err == nil && !overwrite:
		return refuse("%s holds %s; name a new or empty folder, or replace what is there with --overwrite", dir, browse.Printable(names[0]))
	}
	return err
}

func (r extracted) text(w io.Writer) {
	fmt.Fprintf(w, "extracted %d files, %s, to %s in %s\n", r.Files, report.Bytes(r.Bytes), r.Dir, report.Seconds(r.Seconds))
	if r.Devices > 0 {
		fmt.Fprintf(w, "%d device nodes were left out; --devices makes them\n", r.Devices)
	}
	for _, l := range r.Lost {
		fmt.Fprintf(w, "not kept: %s, of %d files, the first %s\n", l.What, l.Files, browse.Printable(l.First))
	}
}
