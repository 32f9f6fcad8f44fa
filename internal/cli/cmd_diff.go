package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
)

// imagesDifferError says that two images are not the same.
type imagesDifferError struct{ n int64 }

func (e *imagesDifferError) Error() string {
	return fmt.Sprintf("the images differ; differences: %d", e.n)
}

func (a *App) diffCommand() *cobra.Command {
	var opts browse.CompareOptions
	cmd := &cobra.Command{
		Use:   "diff IMAGE IMAGE",
		Short: "what changed from one image to another",
		Long: `Diff shows in what the second image is not as the first: disk and partition table,
volumes, and on each partition the files that were added (+), removed (-) or changed
(~), with what was changed: type, mode, owner, size, time, target, content. Of a
directory that was added or removed only the directory is shown.

Two volumes with the same map of chunks are the same and not looked into. Content is
compared by chunks where files were captured with --files. Elsewhere files with the
same size and time are taken for the same, unless --content has their bytes
compared. Times of directories are not compared.

Volumes that were captured by blocks are mounted read-only, which needs root. Those
that cannot be mounted are compared by their chunks.

The exit code is 0 when the images are the same and 4 when they differ, as that of
'ingot compare'.`,
		Example: `  ingot diff lab-pc:v1 lab-pc:v2
  ingot diff lab-pc:v1 lab-pc:v2 --partition 2 --content
  ingot diff lab-pc:v1 lab-pc:v2 --json`,
		Args: exactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.diff(cmd.Context(), args[0], args[1], opts)
		},
	}
	f := cmd.Flags()
	f.IntSliceVar(&opts.Partitions, "partition", nil, "compare only these partitions, by `number`")
	f.BoolVar(&opts.Content, "content", false, "compare the bytes of files with the same size and time too")
	return cmd
}

func (a *App) diff(ctx context.Context, refA, refB string, opts browse.CompareOptions) (err error) {
	var images [2]*browse.Image
	for i, ref := range []string{refA, refB} {
		if images[i], err = a.browseImage(ctx, ref); err != nil {
			return err
		}
	}
	if browse.NeedsMounts(images[0], images[1], opts) {
		if err := a.privateMounts("volumes that were captured by blocks are compared by mounting them"); err != nil {
			return err
		}
	}
	defer func() { err = a.endOfStream(errors.Join(err, images[0].Close(), images[1].Close())) }()
	out := bufio.NewWriter(a.stream(ctx))
	n, err := a.showDifferences(ctx, out, images, opts)
	err = errors.Join(err, out.Flush())
	if err == nil && n > 0 {
		err = &imagesDifferError{n}
	}
	return err
}

// showDifferences shows the differences as they are found.
func (a *App) showDifferences(ctx context.Context, w io.Writer, images [2]*browse.Image, opts browse.CompareOptions) (n int64, err error) {
	a.printed = true
	show := func(d browse.Difference) error {
		_, err := io.WriteString(w, differenceLine(d))
		return err
	}
	list := &jsonList{w: w}
	if a.json {
		show = func(d browse.Difference) error { return list.add(d) }
	}
	err = browse.Compare(ctx, images[0], images[1], opts, func(d browse.Difference) error {
		n++
		return show(d)
	})
	if a.json {
		err = errors.Join(err, list.end(), endLine(w))
	}
	return n, err
}

// differenceLine is a difference for a person.
func differenceLine(d browse.Difference) string {
	sign := map[browse.Change]string{browse.Added: "+", browse.Removed: "-", browse.Changed: "~"}[d.Change]
	var where string
	switch {
	case d.Path != "":
		where = fmt.Sprintf("%d:%s", d.Partition, browse.Printable(d.Path))
		if d.Dir && d.Path != "/" {
			where += "/"
		}
	case d.Whole:
		where = "disk"
	default:
		where = fmt.Sprintf("partition %d", d.Partition)
	}
	var details []string
	for _, x := range d.Details {
		text := x.What
		if x.A != "" || x.B != "" {
			text += fmt.Sprintf(" %s -> %s", quoted(x.A), quoted(x.B))
		}
		details = append(details, text)
	}
	if len(details) > 0 {
		where += ": " + strings.Join(details, ", ")
	}
	return sign + " " + where + "\n"
}

// quoted is a value of a detail; nothing is "".
func quoted(s string) string {
	if s == "" {
		return `""`
	}
	return browse.Printable(s)
}
