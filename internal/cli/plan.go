package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/drivers"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/report"
)

// planned is a plan as JSON.
type planned struct {
	What    string            `json:"what"`
	Target  string            `json:"target"`
	Model   string            `json:"model,omitempty"`
	Serial  string            `json:"serial,omitempty"`
	Size    int64             `json:"targetBytes"`
	Holds   string            `json:"holds"`
	Delta   bool              `json:"delta"`
	Free    deploy.FreeSpace  `json:"free"`
	Data    int64             `json:"dataBytes"`
	Regions []plannedRegion   `json:"regions"`
	NewIDs  map[string]string `json:"newIDs,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
	Fit     *fit.Plan         `json:"fit,omitempty"`
	Drivers *drivers.Choice   `json:"drivers,omitempty"`
}

type plannedRegion struct {
	Partition int    `json:"partition,omitempty"`
	Title     string `json:"title"`
	At        int64  `json:"at"`
	Size      int64  `json:"bytes"`
	Data      int64  `json:"dataBytes"`
}

func planReport(p *deploy.Plan, t targetLook, ad *adapted) planned {
	out := planned{
		What: p.What, Target: t.Path, Model: t.disk.Model, Serial: t.disk.Serial, Size: p.Target.Size, Holds: t.holds,
		Delta: p.Delta, Free: p.Free, Data: p.Bytes(), NewIDs: p.NewIDs, Notes: p.Notes,
	}
	if ad != nil {
		out.Fit, out.NewIDs, out.Drivers = ad.fit, ad.newIDs, &ad.custom.Drivers
		out.Notes = append(out.Notes, ad.fit.Notes...)
	}
	for _, r := range p.Regions {
		out.Regions = append(out.Regions, plannedRegion{r.Partition, r.Title(), r.At, r.Size, r.Data})
	}
	return out
}

// smallGap is the size below which space between partitions is not worth a line
// of a plan.
const smallGap = 16 << 20

// writeDrivers tells which drivers are added, and what has none.
func writeDrivers(w io.Writer, c drivers.Choice) {
	for _, set := range c.Sets {
		fmt.Fprintf(w, "  Drivers: %s (%s)\n", set.Name, set.Why)
	}
	for _, m := range c.Unclaimed {
		fmt.Fprintf(w, "  No driver: %v\n", m)
	}
	for _, n := range c.Notes {
		fmt.Fprintf(w, "  Note: %s.\n", strings.TrimSuffix(n, "."))
	}
}

// pictureWidth is that of the picture of two layouts, in columns.
const pictureWidth = 78

// writePlan prints a plan for a person; with --verbose every step of it.
func (a *App) writePlan(w io.Writer, p *deploy.Plan, t targetLook, ad *adapted) {
	fmt.Fprintf(w, "Plan: put %s onto %s\n", p.What, t.Path)
	fmt.Fprintf(w, "  %s (%s, %s) holds %s\n", t.Path, identity(t.disk), report.Bytes(p.Target.Size), t.holds)
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, r := range p.Regions {
		if r.Volume != nil || r.Size >= smallGap {
			fmt.Fprintf(table, "  at %s\t%s\t%s, %s of data\n", report.Bytes(r.At), report.Bytes(r.Size), r.Title(), report.Bytes(r.Data))
		}
	}
	table.Flush()
	how := "everything is written"
	if p.Delta {
		how = "only what differs is written"
	}
	last := "the volume's start"
	if p.Table != nil {
		last = "the partition table"
	}
	fmt.Fprintf(w, "  %s; unused space: %s; %s comes last\n", how, p.Free, last)
	notes := p.Notes
	if ad != nil {
		ad.fit.Picture(w, pictureWidth, false)
		notes = append(notes, ad.fit.Notes...)
		writeDrivers(w, ad.custom.Drivers)
	}
	for _, n := range notes {
		fmt.Fprintf(w, "  Note: %s.\n", strings.TrimSuffix(n, "."))
	}
	if a.verbose {
		p.Print(w)
	}
}
