package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/wim"
)

func (a *App) exportCommand() *cobra.Command {
	c := groupCommand("export", "hand images over to other programs", "  ingot export wim win11 install.wim")
	c.AddCommand(a.exportWIMCommand())
	return c
}

// exportOptions are the wishes of an export.
type exportOptions struct {
	wim.CaptureOptions
	partition int
	scratch   string
}

func (a *App) exportWIMCommand() *cobra.Command {
	var opts exportOptions
	var compression string
	cmd := &cobra.Command{
		Use:   "wim IMAGE FILE",
		Short: "make a WIM file of an NTFS volume in an image",
		Long: `Export wim makes FILE, a WIM with one image: the NTFS volume with Windows, or the one
that --partition names. Security descriptors, named streams, reparse points, short
names and attributes are kept. Page and hibernation files, recycle bins and System
Volume Information are left out, as wimlib always does.

A volume that was captured by blocks is read as it is; one that was captured with
--files is made in a scratch file first. The new file is verified before it gets its
name. Edition and product name are set for Windows Setup when the volume has a
Windows that tells them.

It needs root, and wimlib (Debian: wimtools).`,
		Example: `  ingot export wim win11 install.wim
  ingot export wim win11:v3 backup.wim --partition 3 --compress fast
  ingot export wim win11 install.esd --solid`,
		Args:              exactArgs(2),
		ValidArgsFunction: a.completeImageThenFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			if opts.Compression = wim.Compression(compression); !opts.Compression.Known() {
				return usageError{fmt.Errorf("--compress is none, fast or max, not %q", compression)}
			}
			return a.exportWIM(cmd.Context(), args[0], args[1], opts)
		},
	}
	f := cmd.Flags()
	f.IntVar(&opts.partition, "partition", wholeSystem, "the volume to export, by its partition's `number`")
	f.StringVar(&opts.Name, "name", "", "`name` of the image in the WIM (default: the image's)")
	f.StringVar(&opts.Description, "description", "", "`text` about it (default: the image's note)")
	f.StringVar(&compression, "compress", "max", "`none`, fast or max")
	f.BoolVar(&opts.Solid, "solid", false, "compress files together, as in an ESD: smaller and slower")
	f.Lookup("partition").DefValue = ""
	addScratchFlag(cmd, &opts.scratch)
	return cmd
}

// exported is the result of an export.
type exported struct {
	File      string  `json:"file"`
	Image     string  `json:"image"`
	Partition int     `json:"partition"`
	Bytes     int64   `json:"bytes"` // of the file
	Files     int64   `json:"files"`
	Name      string  `json:"name"`
	Edition   string  `json:"edition,omitempty"`
	Seconds   float64 `json:"seconds"`
}

func (a *App) exportWIM(ctx context.Context, ref, file string, opts exportOptions) (err error) {
	if err := tool.Need(tool.Wimlib, tool.MkNTFS, tool.NTFS3G); err != nil {
		return err
	}
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		return cmp.Or(err, refuse("%s is there already; remove it first, or choose another name", file))
	}
	if err := a.privateMounts("a volume of the image is shown as a file for wimlib"); err != nil {
		return err
	}
	e := &exporting{a: a, source: content.NewStored(s, img.Manifest), opts: opts, work: a.work("export")}
	e.image = browse.New(e.source, img.Manifest, scratchFolder(opts.scratch))
	defer func() { err = errors.Join(err, e.image.Close()) }()
	p, err := e.choose(ctx)
	if err != nil {
		return err
	}
	started := time.Now()
	e.describe(img)
	made, err := e.run(ctx, p, file)
	if err != nil {
		return err
	}
	made.Image, made.Seconds = img.Name(), time.Since(started).Seconds()
	return a.Print(made, made.text)
}

func (r exported) text(w io.Writer) {
	fmt.Fprintf(w, "exported partition %d of %s to %s: %d files in %s, in %s\n", r.Partition, r.Image, r.File, r.Files, report.Bytes(r.Bytes), report.Seconds(r.Seconds))
}
