package deploy

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// Print writes everything that Run will do, in its order, a line a step, with
// exact byte ranges of the target: what a person reads who does not trust us.
//
// Errors of w are ignored.
func (p *Plan) Print(w io.Writer) {
	fmt.Fprintf(w, "put %s onto %s: %d bytes in sectors of %d\n", p.What, p.Target.Path, p.Target.Size, p.Target.SectorSize)
	printWrites(w, p.Before)
	if p.clears() {
		printStep(w, "discard", extent.Extent{Start: edge, Length: p.Target.Size - edge}, "whatever was there")
	}
	for _, e := range p.Made {
		printStep(w, "make", e, "a file system made anew")
	}
	fill := "fill"
	if p.Delta {
		fill = "update" // where it differs
	}
	for _, r := range p.Regions {
		printStep(w, fill, extent.Extent{Start: r.At, Length: r.Size}, fmt.Sprintf("%s: %d bytes of data; what is free %s", r.Title(), r.Data, p.freed()))
	}
	for _, e := range p.Unused {
		printStep(w, "free", e, "in no region: "+p.freed())
	}
	fmt.Fprintln(w, "  sync")
	if p.Read {
		fmt.Fprintln(w, "  read everything back from the medium and compare")
	}
	printWrites(w, p.last())
	fmt.Fprintln(w, "  read the last writes back from the medium and compare")
	for _, old := range slices.Sorted(maps.Keys(p.NewIDs)) {
		fmt.Fprintf(w, "  new ID   %s becomes %s\n", old, p.NewIDs[old])
	}
	for _, n := range p.Notes {
		fmt.Fprintf(w, "  note     %s\n", n)
	}
}

// last are the writes that make the target valid. Without a table their content
// is known only when they are done.
func (p *Plan) last() []part.Write {
	if p.Table != nil {
		return p.After
	}
	return (&heldBack{sector: p.Target.SectorSize, front: make([]byte, min(edge, p.Target.Size))}).putUp()
}

func printWrites(w io.Writer, writes []part.Write) {
	for _, wr := range writes {
		what := wr.What
		if wr.Sync {
			what += ", sync"
		}
		printStep(w, "write", extent.Extent{Start: wr.Offset, Length: int64(len(wr.Data))}, what)
	}
}

func printStep(w io.Writer, verb string, at extent.Extent, what string) {
	fmt.Fprintf(w, "  %-8s %v %s\n", verb, at, what)
}

// freed says what becomes of bytes that nothing needs.
func (p *Plan) freed() string {
	switch {
	case p.zeroed():
		return "reads as zeros"
	case p.Free == Zero:
		return "is zeroed"
	case p.clears():
		return "was discarded"
	case p.Free == Discard:
		return "is discarded"
	}
	return "is kept"
}
