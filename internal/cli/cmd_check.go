package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/verify"
)

// checked is the result of check, whatever it found.
type checked struct {
	verify.StoreReport
	Intact  bool    `json:"intact"`
	Seconds float64 `json:"seconds"`
}

func (a *App) checkCommand() *cobra.Command {
	var readData bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "is the store intact?",
		Long: `Check looks at everything in the store: names, manifests, maps, indexes and the
tables of contents of packs; and that every chunk of every image lies in a pack
that is there. With --read-data it also reads every pack, unpacks every chunk and
checks it against its hash.

All damage is listed, with the images that it touches. Nothing is changed.`,
		Example: "  ingot check\n  ingot check --read-data --json",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.check(cmd.Context(), readData)
		},
	}
	cmd.Flags().BoolVar(&readData, "read-data", false, "read and check the data of every pack")
	return cmd
}

func (a *App) check(ctx context.Context, readData bool) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	started := time.Now()
	work := a.work("check")
	stop := a.show(work)
	found, err := verify.Store(ctx, s, readData, work)
	stop()
	var damage *verify.DamageError
	if err != nil && !errors.As(err, &damage) {
		return err
	}
	result := checked{found, damage == nil, time.Since(started).Seconds()}
	if err := a.Answer(result, result.text); err != nil || damage == nil {
		return err
	}
	return &damagedStoreError{len(damage.Bad)}
}

// damagedStoreError ends a check whose findings are printed already.
type damagedStoreError struct{ places int }

func (e *damagedStoreError) Error() string {
	if e.places == 1 {
		return "the store is damaged in one place"
	}
	return fmt.Sprintf("the store is damaged in %d places", e.places)
}

func (r checked) text(w io.Writer) {
	for _, d := range r.Damage {
		fmt.Fprintln(w, d)
	}
	how := "looked at"
	if r.ReadData {
		how = "read"
	}
	fmt.Fprintf(w, "%d images, %d maps, %d packs %s in %s\n", r.Images, r.Maps, r.Packs, how, report.Seconds(r.Seconds))
	if l := r.LeftOver; l != nil {
		objects := l.Manifests.Objects + l.Maps.Objects + l.Packs.Objects
		if objects > 0 {
			bytes := l.Manifests.Bytes + l.Maps.Bytes + l.Packs.Bytes
			fmt.Fprintf(w, "%d objects of %s belong to no image: 'ingot gc' removes what no running capture needs\n", objects, report.Bytes(bytes))
		}
	}
	if r.Intact && r.ReadData {
		fmt.Fprintln(w, "the store is intact")
	} else if r.Intact {
		fmt.Fprintln(w, "no damage found; --read-data reads the packs as well")
	}
}
