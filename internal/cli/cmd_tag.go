package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/store"
)

// tagged is the result of tag.
type tagged struct {
	Name string   `json:"name"`
	ID   chunk.ID `json:"id"`
}

func (a *App) tagCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "tag IMAGE NAME[:TAG]",
		Short: "give an image another name",
		Long: `Tag makes NAME:TAG stand for IMAGE as well. Without TAG the image becomes the
next version of NAME. To rename an image, tag it and remove the old name.`,
		Example:           "  ingot tag lab-pc:v3 lab-pc:stable\n  ingot tag lab-pc office",
		Args:              exactArgs(2),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.tag(cmd.Context(), args[0], args[1])
		},
	}
}

func (a *App) tag(ctx context.Context, ref, as string) error {
	name, tag, err := store.ParseName(as)
	if err != nil {
		return usageError{err}
	}
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	n, err := catalog.Tag(ctx, s, ref, name, tag)
	if errors.Is(err, store.ErrExists) {
		return nameTaken(name, tag)
	}
	if err != nil {
		return err
	}
	return a.Print(tagged{n.String(), n.Image}, func(w io.Writer) { fmt.Fprintf(w, "%s is %s now\n", n, n.Image.Short()) })
}
