package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

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

func (a *app) lsCommand() *cobra.Command {
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

func (a *app) lsPartitions(ctx context.Context, ref string) (err error) {
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
		a.note("which partition holds the system is not known: %v", trouble)
	}
	list := []lsPartition{}
	for _, p := range img.Partitions() {
		l := lsPartition{p.Number, p.Kind, p.Label, p.UUID, p.Name, p.Size, p.Method, p.Files, system.None}
		if p.Number == holder {
			l.System = kind
		}
		list = append(list, l)
	}
	return a.answer(list, func(w io.Writer) { writePartitions(w, list) })
}

func writePartitions(w io.Writer, list []lsPartition) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PARTITION\tKIND\tSIZE\tTAKEN BY\tLABEL\tSYSTEM")
	for _, p := range list {
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\n", p.Number, p.Kind, report.Bytes(p.Size), p.Method, browse.Printable(p.Label), p.System)
	}
	t.Flush()
}

// lsEntry is a file as JSON.
type lsEntry struct {
	Name   string    `json:"name"` // with --recursive from the listed directory on
	Raw    []byte    `json:"rawName,omitempty"`
	Type   string    `json:"type"`
	Mode   string    `json:"mode"`
	UID    uint32    `json:"uid"`
	GID    uint32    `json:"gid"`
	Size   int64     `json:"size"`
	Mtime  time.Time `json:"time"`
	Target string    `json:"target,omitempty"`
	Device string    `json:"device,omitempty"` // major:minor
}

func (a *app) ls(ctx context.Context, ref string, at place, opts lsOptions) error {
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

// lister returns what shows an entry; nil comes last.
func (a *app) lister(w io.Writer, opts lsOptions) func(name string, e *browse.Entry) error {
	a.printed = true
	if !a.json {
		return func(name string, e *browse.Entry) error {
			if e == nil {
				return nil
			}
			_, err := io.WriteString(w, line(name, e, opts.long))
			return err
		}
	}
	l := &jsonList{w: w}
	return func(name string, e *browse.Entry) error {
		if e == nil {
			return errors.Join(l.end(), endLine(w))
		}
		return l.add(entryOf(name, e))
	}
}

func endLine(w io.Writer) error {
	_, err := io.WriteString(w, "\n")
	return err
}

func entryOf(name string, e *browse.Entry) lsEntry {
	j := lsEntry{Name: name, Type: typeWord(e.Mode), Mode: browse.Permissions(e.Mode), UID: e.UID, GID: e.GID, Size: e.Size, Mtime: e.Mtime.UTC(), Target: e.Target}
	if !utf8.ValidString(name) {
		j.Raw = []byte(name)
	}
	if e.Mode&fs.ModeDevice != 0 {
		j.Device = fmt.Sprintf("%d:%d", e.Major, e.Minor)
	}
	return j
}

// typeWord is a mode's type as JSON.
func typeWord(m fs.FileMode) string {
	words := strings.Fields(browse.TypeOf(m))
	return words[len(words)-1]
}

// line is an entry for a person.
func line(name string, e *browse.Entry, long bool) string {
	name = browse.Printable(name)
	if !long {
		return name + "\n"
	}
	size := fmt.Sprint(e.Size)
	if e.Mode&fs.ModeDevice != 0 {
		size = fmt.Sprintf("%d, %d", e.Major, e.Minor)
	}
	if e.Target != "" {
		name += " -> " + browse.Printable(e.Target)
	}
	return fmt.Sprintf("%s %5d %5d %12s %s %s\n", modeLetters(e.Mode), e.UID, e.GID, size, e.Mtime.Local().Format(time.DateTime), name)
}

// modeLetters is a mode as ls(1) writes it.
func modeLetters(m fs.FileMode) string {
	letters := []byte("-rwxrwxrwx")
	for i := range 9 {
		if m.Perm()>>(8-i)&1 == 0 {
			letters[1+i] = '-'
		}
	}
	for t, c := range map[fs.FileMode]byte{
		fs.ModeDir: 'd', fs.ModeSymlink: 'l', fs.ModeDevice: 'b', fs.ModeDevice | fs.ModeCharDevice: 'c', fs.ModeNamedPipe: 'p', fs.ModeSocket: 's',
	} {
		if m.Type() == t {
			letters[0] = c
		}
	}
	special := func(bit fs.FileMode, at int, c byte) {
		switch {
		case m&bit == 0:
		case letters[at] == 'x':
			letters[at] = c
		default:
			letters[at] = c - 'a' + 'A'
		}
	}
	special(fs.ModeSetuid, 3, 's')
	special(fs.ModeSetgid, 6, 's')
	special(fs.ModeSticky, 9, 't')
	return string(letters)
}
