package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/system"
)

// lsOptions are the wishes of a listing.
type lsOptions struct {
	long, recursive bool
}

func (a *App) lsCommand() *cobra.Command {
	var opts lsOptions
	cmd := &cobra.Command{
		Use:   "ls IMAGE [PATH]",
		Short: "list the partitions of an image, or the files in it",
		Long: `Ls without PATH lists the partitions of an image: number, kind, label, size, and
which one holds the system. With PATH it lists a directory, or one file.

` + pathHelp + `

Characters in names that would disturb a terminal are shown as in a Go string. In
JSON a name that is not UTF-8 comes with its bytes too, in base64.`,
		Example: `  ingot ls lab-pc
  ingot ls lab-pc /etc -l
  ingot ls lab-pc 2:/var/log --recursive
  ingot ls lab-pc / -R --json`,
		Args:              betweenArgs(1, 2),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return a.lsPartitions(cmd.Context(), args[0])
			}
			return a.ls(cmd.Context(), args[0], parsePlace(args[1]), opts)
		},
	}
	f := cmd.Flags()
	f.BoolVarP(&opts.long, "long", "l", false, "show mode, owner, size, time and the targets of links too")
	f.BoolVarP(&opts.recursive, "recursive", "R", false, "list everything below a directory, by its whole name")
	return cmd
}

// lsPartition is a partition as JSON.
type lsPartition struct {
	Number int          `json:"partition"`
	Kind   string       `json:"kind"`
	Label  string       `json:"label,omitempty"`
	UUID   string       `json:"uuid,omitempty"`
	Name   string       `json:"name,omitempty"`
	Size   int64        `json:"bytes"`
	Method image.Method `json:"method"`
	Files  int64        `json:"files,omitempty"`
	System system.Kind  `json:"system,omitempty"`
}

func (a *App) lsPartitions(ctx context.Context, ref string) (err error) {
	img, err := a.browseImage(ctx, ref)
	if err != nil {
		return err
	}
	var trouble error
	holder, kind := wholeSystem, system.None
	if trouble = a.mountsFor(img, wholeSystem); trouble == nil {
		defer func() { err = errors.Join(err, img.Close()) }()
		var t *browse.Tree
		if t, kind, trouble = img.System(ctx); trouble == nil {
			holder = t.Partition()
		}
	}
	if none := new(browse.NoSystemError); errors.As(trouble, &none) {
		trouble = none.Err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if trouble != nil {
		a.Note("which partition holds the system is not known: %v", trouble)
	}
	list := []lsPartition{}
	for _, p := range img.Partitions() {
		l := lsPartition{p.Number, p.Kind, p.Label, p.UUID, p.Name, p.Size, p.Method, p.Files, system.None}
		if p.Number == holder {
			l.System = kind
		}
		list = append(list, l)
	}
	return a.Answer(list, func(w io.Writer) { writePartitions(w, list) })
}

func writePartitions(w io.Writer, list []lsPartition) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PARTITION\tKIND\tSIZE\tTAKEN BY\tLABEL\tSYSTEM")
	for _, p := range list {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", p.Number, p.Kind, report.Bytes(p.Size), p.Method, browse.Printable(p.Label), p.System)
	}
	t.Flush()
}

func (a *App) ls(ctx context.Context, ref string, at place, opts lsOptions) error {
	return a.withTree(ctx, ref, at, func(t *browse.Tree) error {
		name, e, err := find(t, at.path)
		if err != nil {
			return err
		}
		out := bufio.NewWriter(a.stream(ctx))
		show := a.lister(out, opts)
		if !e.IsDir() {
			e.Name = strings.Trim(at.path, "/")
			err = show(e.Name, &e)
		} else {
			err = list(ctx, t, name, "", opts.recursive, show)
		}
		return errors.Join(err, show("", nil), out.Flush())
	})
}

// find returns what a path of the command line leads to: of a link, the directory
// behind it, or the link itself.
func find(t *browse.Tree, path string) (name string, e browse.Entry, err error) {
	if name, err = t.Resolve(path, true); err == nil {
		if e, err = t.Lstat(name); err == nil && e.IsDir() {
			return name, e, nil
		}
	}
	link, lerr := t.Resolve(path, false)
	if lerr != nil {
		return name, e, errors.Join(err, lerr)
	}
	e, err = t.Lstat(link)
	return link, e, err
}

// list shows what is in a directory; below is its name for the user.
func list(ctx context.Context, t *browse.Tree, dir, below string, recursive bool, show func(string, *browse.Entry) error) error {
	entries, err := t.ReadDir(dir)
	if err != nil {
		return err
	}
	for i := range entries {
		e := &entries[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := show(below+e.Name, e); err != nil {
			return err
		}
		if !recursive || !e.IsDir() {
			continue
		}
		if err := list(ctx, t, strings.TrimPrefix(dir+"/"+e.Name, "/"), below+e.Name+"/", recursive, show); err != nil {
			return err
		}
	}
	return nil
}
