package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/wim"
)

func (a *app) exportCommand() *cobra.Command {
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

func (a *app) exportWIMCommand() *cobra.Command {
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

func (a *app) exportWIM(ctx context.Context, ref, file string, opts exportOptions) (err error) {
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
	e := &exporting{a: a, source: content.NewStored(s, img.Manifest), opts: opts, work: &progress.Work{Verb: "export"}}
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
	return a.print(made, made.text)
}

// exporting is an export that is going on.
type exporting struct {
	a      *app
	source *content.Stored
	image  *browse.Image
	opts   exportOptions
	work   *progress.Work
}

// describe completes what the WIM says of itself.
func (e *exporting) describe(img catalog.Image) {
	e.opts.Name = cmp.Or(e.opts.Name, img.Name())
	e.opts.Description = cmp.Or(e.opts.Description, img.Manifest.Note)
}

// choose returns the volume to export: that of the system, or the only one of NTFS.
func (e *exporting) choose(ctx context.Context) (browse.Partition, error) {
	var all []browse.Partition
	for _, p := range e.image.Partitions() {
		if p.Number == e.opts.partition {
			if p.Kind != "ntfs" {
				return p, refuse("partition %d holds %s, and a WIM is made of NTFS", p.Number, p.Kind)
			}
			return p, nil
		}
		if p.Kind == "ntfs" {
			all = append(all, p)
		}
	}
	switch {
	case e.opts.partition != wholeSystem:
		return browse.Partition{}, &browse.NoPartitionError{Number: e.opts.partition, Have: numbersOf(e.image.Partitions())}
	case len(all) == 0:
		return browse.Partition{}, refuse("the image holds no NTFS, of which a WIM is made")
	case len(all) == 1:
		return all[0], nil
	}
	t, _, err := e.image.System(ctx)
	if err == nil {
		for _, p := range all {
			if p.Number == t.Partition() {
				return p, nil
			}
		}
	}
	return browse.Partition{}, usageError{fmt.Errorf("none of the NTFS volumes on partitions %v holds Windows; name one with --partition", numbersOf(all))}
}

func numbersOf(all []browse.Partition) (numbers []int) {
	for _, p := range all {
		numbers = append(numbers, p.Number)
	}
	return numbers
}

// run makes the file under another name, verifies it, and gives it its name.
func (e *exporting) run(ctx context.Context, p browse.Partition, file string) (exported, error) {
	defer e.a.show(e.work)()
	volume, remove, err := e.volume(ctx, p)
	if err != nil {
		return exported{}, err
	}
	defer remove()
	dir, err := os.MkdirTemp(filepath.Dir(file), ".ingot-export-")
	if err != nil {
		return exported{}, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "wim")
	if err := wim.Capture(ctx, volume, made, e.opts.CaptureOptions, percentOf(e.work, "compress")); err != nil {
		return exported{}, err
	}
	result, err := e.finish(ctx, made)
	if err != nil {
		return exported{}, err
	}
	result.File, result.Partition = file, p.Number
	return result, os.Rename(made, file)
}

// finish completes and verifies a new WIM.
func (e *exporting) finish(ctx context.Context, made string) (exported, error) {
	images, err := wim.List(ctx, made)
	if err != nil {
		return exported{}, err
	}
	if err := wim.SetWindows(ctx, made, images[0]); err != nil {
		return exported{}, err
	}
	if err := wim.Verify(ctx, made, percentOf(e.work, "verify")); err != nil {
		return exported{}, err
	}
	f, err := os.Open(made)
	if err != nil {
		return exported{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return exported{}, err
	}
	return exported{Bytes: info.Size(), Files: images[0].Files, Name: images[0].Name, Edition: images[0].Windows.Edition}, f.Sync()
}

// volume is the NTFS volume of p as a file.
func (e *exporting) volume(ctx context.Context, p browse.Partition) (path string, remove func(), err error) {
	if p.Method != image.FileByFile {
		path, err := e.image.VolumeFile(ctx, p.Number)
		return path, func() {}, err
	}
	v, err := files.Open(ctx, e.source, p.Number)
	if err != nil {
		return "", nil, err
	}
	size := wim.Fit(v.Listing.Bytes(), int64(len(v.Listing.Entries)))
	path, remove, err = scratchVolume(scratchFolder(e.opts.scratch), size.Volume, size.Needed)
	if err != nil {
		return "", nil, err
	}
	if err := e.fill(ctx, v, path); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// fill makes an NTFS volume with the files of v.
func (e *exporting) fill(ctx context.Context, v *files.Volume, path string) error {
	if err := (resize.Volume{Path: path, Kind: "ntfs"}).Make(ctx, resize.Spec{Kind: "ntfs"}); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(scratchFolder(e.opts.scratch), "ingot-export-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	m, err := mount.Volume(ctx, path, "ntfs", dir, mount.Options{})
	if err != nil {
		return err
	}
	lost, err := v.Apply(ctx, dir, e.work)
	for _, l := range lost {
		e.a.note("not kept: %s, of %d files, the first %s", l.What, l.Files, browse.Printable(l.First))
	}
	return errors.Join(err, m.Close())
}

func (r exported) text(w io.Writer) {
	fmt.Fprintf(w, "exported partition %d of %s to %s: %d files in %s, in %s\n", r.Partition, r.Image, r.File, r.Files, report.Bytes(r.Bytes), report.Seconds(r.Seconds))
}
