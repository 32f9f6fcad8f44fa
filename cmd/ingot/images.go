package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/cli"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// extendImages lets 'images' list a server's images when one is named, and adds what
// can be done with them there.
func (r *remote) extendImages(images *cobra.Command) {
	local := images.RunE
	images.Short += ", or a server's"
	images.Long += `

With --server or INGOT_SERVER it lists the images of that server, unless --store is
given. The commands below work on a server alone.`
	images.Example += "\n  ingot images --server images.example\n  ingot images show lab-pc"
	images.RunE = func(cmd *cobra.Command, args []string) error {
		if r.named() == "" || cmd.Flags().Changed("store") {
			return local(cmd, args)
		}
		return r.run(r.listImages)(cmd, args)
	}
	images.AddCommand(r.imagesShowCommand(), r.imagesNoteCommand(), r.imagesTagCommand(), r.imagesRemoveCommand(), r.imagesLintCommand())
}

func (r *remote) listImages(ctx context.Context, c *apiclient.Client, args []string) error {
	images, err := c.Images(ctx)
	if err != nil {
		return err
	}
	list := []control.Image{}
	var rows [][]string
	for _, i := range images {
		listed := false
		for _, name := range i.Names {
			if len(args) == 1 && name != args[0] && !strings.HasPrefix(name, args[0]+":") {
				continue
			}
			listed = true
			rows = append(rows, []string{name, short(i.ID), moment(i.Created), report.Bytes(i.Disk), report.Bytes(i.Data), i.System, linted(i.Lint), firstLine(firstOf(i.Notes, i.Comment))})
		}
		if listed {
			list = append(list, i)
		}
	}
	if len(args) == 1 && len(list) == 0 {
		return &cli.CodedError{Err: fmt.Errorf("there is no image %q on %s", args[0], c.Server()), Code: wire.ExitNotFound}
	}
	return r.app.Answer(list, func(w io.Writer) {
		table(w, []string{"NAME", "ID", "CREATED", "DISK", "DATA", "SYSTEM", "LINT", "NOTE"}, rows)
	})
}

// short is an ID as far as people type it.
func short(id string) string { return id[:min(len(id), 12)] }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// linted is what looking an image over found, in a word.
func linted(l *control.LintSummary) string {
	switch {
	case l == nil:
		return ""
	case l.Running:
		return "running"
	case l.Error != "":
		return "failed"
	case l.Errors > 0:
		return fmt.Sprintf("%d errors", l.Errors)
	case l.Warnings > 0:
		return fmt.Sprintf("%d warnings", l.Warnings)
	}
	return "good"
}

func (r *remote) imagesShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show IMAGE", Short: "an image of a server", Example: "  ingot images show lab-pc:v3", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			i, err := c.Image(ctx, args[0])
			if err != nil {
				return err
			}
			return r.app.Answer(i, func(w io.Writer) { writeImage(w, i) })
		}),
	}
}

func writeImage(w io.Writer, i control.Image) {
	own := "not known"
	if i.Own >= 0 {
		own = report.Bytes(i.Own)
	}
	least := report.Bytes(i.Least)
	if i.Shrinks {
		least += ", perhaps smaller ones"
	}
	single := ""
	if i.Single {
		single = "not generalized: for one machine alone"
	}
	facts(w, "Image", strings.Join(i.Names, ", "), "ID", i.ID, "Created", moment(i.Created), "Host", i.Host, "System", i.System, "", "",
		"Disk", report.Bytes(i.Disk), "Table", strings.ToUpper(i.Table), "Data", report.Bytes(i.Data), "Own", own, "Fits disks from", least,
		"Windows", single, "Lint", linted(i.Lint), "Comment", i.Comment, "Notes", i.Notes)
	for _, v := range i.Volumes {
		fmt.Fprintf(w, "volume %d: %s\n", v.Partition, printable(strings.Join(words(v.Kind, v.Label, report.Bytes(v.Size)), ", ")))
	}
}

func (r *remote) imagesNoteCommand() *cobra.Command {
	return &cobra.Command{
		Use: "note IMAGE [TEXT]", Short: "write something about an image of a server", Example: "  ingot images note lab-pc:v3 'for room 12'", Args: cli.Args(1, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.SetImageNotes(ctx, args[0], strings.Join(args[1:], "")); err != nil {
				return err
			}
			return r.done(args[:1], "noted")
		}),
	}
}

func (r *remote) imagesTagCommand() *cobra.Command {
	return &cobra.Command{
		Use: "tag IMAGE NAME[:TAG]", Short: "give an image of a server another name", Example: "  ingot images tag lab-pc:v3 lab-pc:stable", Args: cli.Args(2, 2),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			name, err := c.TagImage(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return r.done([]string{name}, "%s is %s too", args[0], name)
		}),
	}
}

func (r *remote) imagesRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "rm NAME:TAG...", Short: "remove names of images of a server", Example: "  ingot images rm lab-pc:v1", Args: cli.Args(1, 1000),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			for _, name := range args {
				if err := c.RemoveImage(ctx, name); err != nil {
					return err
				}
			}
			return r.done(args, "removed %s", strings.Join(args, ", "))
		}),
	}
}

func (r *remote) imagesLintCommand() *cobra.Command {
	return &cobra.Command{
		Use: "lint IMAGE", Short: "let a server look an image over", Example: "  ingot images lint lab-pc:v3\n  ingot images show lab-pc:v3", Args: cli.Args(1, 1),
		RunE: r.run(func(ctx context.Context, c *apiclient.Client, args []string) error {
			if err := c.LintImage(ctx, args[0]); err != nil {
				return err
			}
			return r.done(args, "it is being looked over; 'ingot images show %s' has what was found", args[0])
		}),
	}
}
