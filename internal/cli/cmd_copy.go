package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/replicate"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/store"
)

// copied is the result of copy.
type copied struct {
	Name    string   `json:"name"`
	ID      chunk.ID `json:"id"`
	To      string   `json:"to"`
	There   bool     `json:"there"` // it was there before
	Packs   int      `json:"packs"`
	Bytes   int64    `json:"bytes"`
	Before  int      `json:"packsThere"`
	Seconds float64  `json:"seconds"`
}

func (a *App) copyCommand() *cobra.Command {
	var to, as string
	cmd := &cobra.Command{
		Use:   "copy IMAGE --to STORE",
		Short: "copy an image to another store",
		Long: `Copy puts IMAGE into another store under the same name and ID. A store that does
not exist is made. Only what is not there is copied; everything that is copied is
checked against its hash on the way. An interrupted copy goes on where it stopped.`,
		Example:           "  ingot copy lab-pc:v2 --to /media/usb/store\n  ingot copy lab-pc --to /srv/ingot --as lab-pc:from-berlin",
		Args:              exactArgs(1),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			if to == "" {
				return usageError{errors.New("--to is missing: name the store to copy to")}
			}
			return a.copyImage(cmd.Context(), args[0], to, as)
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "`folder` of the store to copy to")
	cmd.Flags().StringVar(&as, "as", "", "the name there, as `NAME[:TAG]`")
	return cmd
}

func (a *App) copyImage(ctx context.Context, ref, to, as string) error {
	from, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	img, err := catalog.Find(ctx, from, ref)
	if err != nil {
		return err
	}
	n := img.Names[0]
	if as != "" {
		n = store.Name{}
		if n.Name, n.Tag, err = store.ParseName(as); err != nil {
			return usageError{err}
		}
	}
	dst, err := a.openStoreLike(ctx, to, from.Config())
	if err != nil {
		return err
	}
	if dst.Config().ID == from.Config().ID {
		return refuse("%s is the store that the image is in; 'ingot tag' gives it another name there", to)
	}
	started := time.Now()
	work := a.work("copy")
	stop := a.show(work)
	r, err := replicate.Image(ctx, from, dst, img, n, work)
	stop()
	if err != nil {
		return copyError(err)
	}
	result := copied{r.Name.String(), img.ID, to, r.There, r.Packs, r.Bytes, r.Before, time.Since(started).Seconds()}
	return a.Print(result, result.text)
}

// copyError turns what the user can change into a refusal.
func copyError(err error) error {
	var taken *replicate.TakenError
	var hash *replicate.HashError
	switch {
	case errors.As(err, &taken):
		return refuse("%v; choose another name with --as", taken)
	case errors.As(err, &hash):
		return refuse("%v", hash)
	case errors.Is(err, store.ErrExists):
		return refuse("that name was put in the destination meanwhile; choose another one with --as")
	}
	return err
}

func (r copied) text(w io.Writer) {
	if r.There {
		fmt.Fprintf(w, "%s (%s) is in %s already\n", r.Name, r.ID.Short(), r.To)
		return
	}
	fmt.Fprintf(w, "copied %s (%s) to %s in %s: %d packs, %s; %d packs were there already\n",
		r.Name, r.ID.Short(), r.To, report.Seconds(r.Seconds), r.Packs, report.Bytes(r.Bytes), r.Before)
}
