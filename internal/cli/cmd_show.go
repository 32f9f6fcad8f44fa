package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/store"
)

// shown is the result of show: the manifest with what the store knows.
type shown struct {
	ID    chunk.ID `json:"id"`
	Names []string `json:"names"`
	Data  int64    `json:"dataBytes"`
	Zero  int64    `json:"zeroBytes"`
	Maps  int      `json:"maps"`
	Packs int      `json:"packs"`

	Manifest *image.Manifest `json:"manifest"`
}

func (a *App) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show IMAGE",
		Short:             "what is in an image",
		Long:              "Show prints an image's manifest: the disk, its partition table, what was taken of\neach volume and how, what was left out, and what could not be read.",
		Example:           "  ingot show lab-pc\n  ingot show lab-pc:v2 --json",
		Args:              exactArgs(1),
		ValidArgsFunction: a.completeImage,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.showImage(cmd.Context(), args[0])
		},
	}
}

func (a *App) showImage(ctx context.Context, ref string) error {
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return err
	}
	result := shown{ID: img.ID, Manifest: img.Manifest, Data: img.Manifest.Data()}
	if result.Names, err = allNames(ctx, s, img.ID); err != nil {
		return err
	}
	var damage error
	packs, err := content.Packs(ctx, s, img.Manifest, func(err error) error {
		damage = err // of which verify tells all
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	result.Packs = len(packs)
	for _, r := range img.Manifest.Regions {
		result.Maps += len(r.Map)
		result.Zero += r.Zero
	}
	if err := a.Answer(result, result.text); err != nil {
		return err
	}
	return damage
}

// allNames are the names of an image, newest first.
func allNames(ctx context.Context, s *store.Store, id chunk.ID) (names []string, err error) {
	found, err := catalog.Names(ctx, s, id.String())
	for _, n := range found.Names {
		names = append(names, n.String())
	}
	return names, err
}

func (r shown) text(w io.Writer) {
	m := r.Manifest
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", what, fmt.Sprintf(format, args...)) }
	line("Image", "%s", strings.Join(r.Names, ", "))
	line("ID", "%s", r.ID)
	if m.Note != "" {
		line("Note", "%s", m.Note)
	}
	line("Captured", "%s on %s by ingot %s", m.Created.Local().Format(time.DateTime), m.Host, m.Program)
	line("Disk", "%s", describeDisk(m.Disk))
	table := "none: one volume"
	if m.Table != nil {
		table = fmt.Sprintf("%s with %d partitions", strings.ToUpper(string(m.Table.Kind)), len(m.Table.Partitions))
	}
	line("Table", "%s", table)
	line("Data", "%s, %s of it zeros", report.Bytes(r.Data), report.Bytes(r.Zero))
	line("In the store", "%d maps, %d packs, hashed with %v", r.Maps, r.Packs, m.Hash)
	t.Flush()
	for _, region := range m.Regions {
		fmt.Fprintf(w, "\n%s\n", region.Title())
		writeRegion(w, &region)
	}
}

func describeDisk(d image.Disk) string {
	parts := []string{d.Path}
	for _, s := range []string{d.Model, d.Serial} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return fmt.Sprintf("%s, %s in sectors of %d bytes", strings.Join(parts, " "), report.Bytes(d.Size), d.SectorSize)
}

// writeRegion prints what is special about a region.
func writeRegion(w io.Writer, r *image.Region) {
	fmt.Fprintf(w, "  at %#x, %s; %s of data", r.Start, report.Bytes(r.Size), report.Bytes(r.Data))
	if v := r.Volume; v != nil {
		fmt.Fprintf(w, ", taken by %s", v.Method)
	}
	fmt.Fprintln(w)
	if v := r.Volume; v != nil {
		if v.UUID != "" {
			fmt.Fprintf(w, "  UUID %s\n", v.UUID)
		}
		for _, n := range v.Notes {
			fmt.Fprintf(w, "  note: %s\n", n)
		}
	}
	for _, o := range r.Omitted {
		fmt.Fprintf(w, "  left out: %s, %s\n", o.Name, report.Bytes(o.Bytes))
	}
	for i, e := range r.Unreadable {
		if i == 5 {
			fmt.Fprintf(w, "  UNREADABLE: and %d more places\n", len(r.Unreadable)-i)
			break
		}
		fmt.Fprintf(w, "  UNREADABLE: %d bytes at %#x, zeros in the image\n", e.Length, e.Start)
	}
}
