package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/report"
)

// listed is one name of an image as JSON.
type listed struct {
	Name    string    `json:"name"`
	ID      chunk.ID  `json:"id"`
	Created time.Time `json:"created"`
	Host    string    `json:"host"`
	Disk    int64     `json:"diskBytes"`
	Data    int64     `json:"dataBytes"`
	Note    string    `json:"note,omitempty"`
}

func (a *App) imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "images [NAME]",
		Short: "list the images in the store",
		Long: `Images lists what is in the store, newest first; with NAME, its versions. An
image that has several names is listed under each of them.`,
		Example:           "  ingot images\n  ingot images lab-pc",
		Args:              betweenArgs(0, 1),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.images(cmd.Context(), args)
		},
	}
}

func (a *App) images(ctx context.Context, args []string) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	images, damage, err := catalog.List(ctx, s)
	if err != nil {
		return err
	}
	list := []listed{}
	for _, i := range images {
		for _, n := range i.Names {
			if len(args) == 1 && n.Name != args[0] {
				continue
			}
			m := i.Manifest
			list = append(list, listed{n.String(), i.ID, m.Created, m.Host, m.Disk.Size, m.Data(), m.Note})
		}
	}
	if len(args) == 1 && len(list) == 0 && damage == nil {
		return &catalog.NotFoundError{Ref: args[0]}
	}
	err = a.Answer(list, func(w io.Writer) {
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "NAME\tID\tCREATED\tDISK\tDATA\tNOTE")
		for _, l := range list {
			fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", l.Name, l.ID.Short(), l.Created.Local().Format("2006-01-02 15:04"), report.Bytes(l.Disk), report.Bytes(l.Data), l.Note)
		}
		t.Flush()
	})
	if err != nil {
		return err
	}
	return damage
}
