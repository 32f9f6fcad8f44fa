package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/wim"
)

func (a *App) importCommand() *cobra.Command {
	c := groupCommand("import", "take over images of other programs", "  ingot import wim install.wim:6 win11")
	c.AddCommand(a.importWIMCommand())
	return c
}

// groupCommand is a command that does nothing but hold others.
func groupCommand(name, short, example string) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Example: example, Args: cobra.ArbitraryArgs,
		SuggestionsMinimumDistance: 2, // cobra's own default, which it sets for the root alone
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return noSuchCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
}

// importOptions are the wishes of an import.
type importOptions struct {
	refs    []string
	note    string
	scratch string
}

func (a *App) importWIMCommand() *cobra.Command {
	var opts importOptions
	cmd := &cobra.Command{
		Use:   "wim FILE[:INDEX] NAME[:TAG]",
		Short: "make an image of one in a WIM file",
		Long: `Import wim makes a file-based image of one that a WIM file holds: WIM, ESD, or a
split WIM, whose first part is FILE and whose others --ref names. INDEX is the number
or the name of an image in it, and needed when there are several.

The image becomes an NTFS volume in a scratch file, which keeps security descriptors,
named streams, reparse points, short names and attributes, and that is captured with
--files --include-all: what the store has already is not stored again. A WIM of a
Linux system, made with wimlib's --unix-data, becomes a directory instead.

It needs root, and wimlib (Debian: wimtools).`,
		Example: `  ingot import wim install.wim:6 win11
  ingot import wim 'install.esd:Windows 11 Pro' win11:24h2
  ingot import wim install.swm office --ref 'install*.swm'`,
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.importWIM(cmd.Context(), args[0], args[1], opts)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&opts.refs, "ref", nil, "other `files` with data of FILE, also as a pattern; may be repeated")
	f.StringVar(&opts.note, "note", "", "`text` to keep with the image (default: its name in the WIM)")
	addScratchFlag(cmd, &opts.scratch)
	return cmd
}

func (a *App) importWIM(ctx context.Context, arg, ref string, opts importOptions) error {
	name, tag, err := store.ParseName(ref)
	if err != nil {
		return usageError{err}
	}
	if err := tool.Need(tool.Wimlib, tool.MkNTFS, tool.NTFS3G); err != nil {
		return err
	}
	src, img, err := chooseWIM(ctx, arg, opts.refs)
	if err != nil {
		return err
	}
	if err := a.privateMounts("the files of a WIM are captured from a volume that is mounted"); err != nil {
		return err
	}
	s, err := a.openStore(ctx, true)
	if err != nil {
		return err
	}
	if err := refuseTaken(ctx, s, name, tag); err != nil {
		return err
	}
	if opts.note == "" {
		opts.note = fmt.Sprintf("%s of %s", img.Title(), filepath.Base(src.File))
	}
	unix, err := src.HasUnixData(ctx)
	if err != nil {
		return err
	}
	if unix {
		return a.importDirectory(ctx, src, img, ref, opts)
	}
	return a.importVolume(ctx, src, img, ref, opts)
}

// chooseWIM finds the image that FILE[:INDEX] means.
func chooseWIM(ctx context.Context, arg string, refs []string) (wim.Source, wim.Image, error) {
	file, wanted := arg, ""
	if _, err := os.Stat(arg); errors.Is(err, fs.ErrNotExist) {
		if i := strings.LastIndexByte(arg, ':'); i >= 0 {
			file, wanted = arg[:i], arg[i+1:]
		}
	}
	if _, err := os.Stat(file); err != nil {
		return wim.Source{}, wim.Image{}, err
	}
	images, err := wim.List(ctx, file)
	if err != nil {
		return wim.Source{}, wim.Image{}, err
	}
	img, err := wim.Choose(images, wanted)
	if err != nil {
		return wim.Source{}, wim.Image{}, fmt.Errorf("%s: %w", file, err)
	}
	return wim.Source{File: file, Refs: refs, Index: img.Index}, img, nil
}

// importVolume applies a WIM's image to a new NTFS volume and captures that.
func (a *App) importVolume(ctx context.Context, src wim.Source, img wim.Image, ref string, opts importOptions) error {
	size := img.Size()
	path, remove, err := scratchVolume(scratchFolder(opts.scratch), size.Volume, size.Needed)
	if err != nil {
		return err
	}
	defer remove()
	if err := (resize.Volume{Path: path, Kind: "ntfs"}).Make(ctx, resize.Spec{Kind: "ntfs"}); err != nil {
		return err
	}
	if err := a.applyWIM(ctx, src, path, false); err != nil {
		return err
	}
	return a.capture(ctx, path, ref, opts.note, capture.Options{}, fileOptions{files: true, all: true, from: src.File})
}

// importDirectory is importVolume for an image of Linux.
func (a *App) importDirectory(ctx context.Context, src wim.Source, img wim.Image, ref string, opts importOptions) error {
	scratch := scratchFolder(opts.scratch)
	if err := needRoom(scratch, img.Size().Needed); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(scratch, "ingot-scratch-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := a.applyWIM(ctx, src, dir, true); err != nil {
		return err
	}
	return a.capture(ctx, dir, ref, opts.note, capture.Options{}, fileOptions{files: true, all: true, from: src.File})
}

func (a *App) applyWIM(ctx context.Context, src wim.Source, target string, unix bool) error {
	work := a.work("import")
	defer a.show(work)()
	return src.Apply(ctx, target, unix, percentOf(work, "unpack "+filepath.Base(src.File)))
}

// percentOf returns what advances a stage of work to so much of a hundred.
func percentOf(work *progress.Work, name string) func(int) {
	stage := work.Count(name, "%", 100)
	return func(n int) { stage.Add(max(0, int64(n)-stage.Done())) }
}
