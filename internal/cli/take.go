package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/report"
)

// taken is what a capture takes of one region, as JSON.
type taken struct {
	Partition int              `json:"partition,omitempty"`
	Title     string           `json:"title"`
	Start     int64            `json:"start"`
	Size      int64            `json:"bytes"`
	Data      int64            `json:"dataBytes"`
	Method    image.Method     `json:"method,omitempty"`
	Omitted   []image.Omission `json:"omitted,omitempty"`
	Notes     []string         `json:"notes,omitempty"`
}

func takeReport(p *capture.Plan) []taken {
	var all []taken
	for _, r := range p.Regions {
		t := taken{r.Partition, r.Title(), r.Start, r.Size, r.Used.Bytes(), "", r.Omitted, r.Notes}
		if r.Volume != nil {
			t.Method = r.Volume.Method
		}
		all = append(all, t)
	}
	return all
}

// writeTake prints what a capture takes.
func writeTake(w io.Writer, p *capture.Plan) {
	fmt.Fprintf(w, "A capture takes %s:\n", report.Bytes(p.Bytes()))
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, t := range takeReport(p) {
		how := "all of it"
		switch t.Method {
		case image.UsedBlocks:
			how = "what is used"
		case image.FileByFile:
			how = "file by file"
		}
		fmt.Fprintf(table, "  %s\t%s of %s\t%s\n", t.Title, report.Bytes(t.Data), report.Bytes(t.Size), how)
	}
	table.Flush()
}
