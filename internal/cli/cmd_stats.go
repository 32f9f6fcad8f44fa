package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/inventory"
	"github.com/ingot-imaging/ingot/internal/report"
)

func (a *App) statsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "stats",
		Short: "what the store holds, and what each image costs",
		Long: `Stats counts objects and bytes, tells what sharing and compression save, and for
each image what it alone uses: what removing it lets 'ingot gc' free.`,
		Example: "  ingot stats\n  ingot stats --json",
		Args:    exactArgs(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.stats(cmd.Context())
		},
	}
}

// counted is the result of stats.
type counted struct {
	inventory.Inventory
	Dedup       float64 `json:"dedupRatio"`       // bytes of all images / different ones; 0 for an empty store
	Compression float64 `json:"compressionRatio"` // different bytes / what they take
}

func (a *App) stats(ctx context.Context) error {
	s, err := a.openStore(ctx, false)
	if err != nil {
		return err
	}
	work := a.work("stats")
	stop := a.show(work)
	inv, damage, err := inventory.Look(ctx, s, work)
	stop()
	if err != nil {
		return err
	}
	result := counted{inv, ratio(inv.Data, inv.Unique), ratio(inv.Unique, inv.Packed)}
	if err := a.Answer(result, result.text); err != nil {
		return err
	}
	return damage
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func (r counted) text(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "KIND\tOBJECTS\tBYTES\t")
	for _, k := range append(r.Kinds, r.Total) {
		fmt.Fprintf(t, "%s\t%d\t%s\t\n", k.Name, k.Objects, report.Bytes(k.Bytes))
	}
	t.Flush()
	about := ""
	if r.Estimated {
		about = "about "
	}
	fmt.Fprintf(w, "\n%s in images, %s%s of it different (%.2fx), %s%s in packs (%.2fx)\n\n",
		report.Bytes(r.Data), about, report.Bytes(r.Unique), r.Dedup, about, report.Bytes(r.Packed), r.Compression)
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "IMAGE\tID\tDATA\tITS OWN")
	for _, i := range r.Images {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s%s\n", strings.Join(i.Names, " "), i.ID.Short(), report.Bytes(i.Data), about, report.Bytes(i.Own))
	}
	t.Flush()
}
