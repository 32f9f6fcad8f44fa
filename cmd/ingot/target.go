package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/report"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// targetLook is what a target holds before it is overwritten.
type targetLook struct {
	deploy.Target
	name    string // what a person types to confirm
	holds   string // one line for the plan
	missing bool   // an image file that will be made
}

// lookAt looks at a target without opening it for writing.
func (a *app) lookAt(ctx context.Context, path string, job deployJob) (targetLook, error) {
	t := targetLook{name: filepath.Base(path)}
	t.Path = path
	src, err := host.OpenSource(path, host.SourceOptions{SectorSize: job.sector})
	if missing(err) && !host.InDev(path) {
		t.Target = deploy.Target{Path: path, Size: job.disk, SectorSize: job.sector, CanDiscard: true, DiscardZeroes: true, Blank: true}
		t.missing, t.holds = true, "does not exist and will be made"
		return t, nil
	}
	if err != nil {
		return t, err
	}
	defer src.Close()
	uses, err := host.InUse(path)
	if err != nil {
		return t, err
	}
	if len(uses) > 0 {
		return t, &host.BusyError{Path: path, Uses: uses}
	}
	t.Size, t.SectorSize = src.Size(), src.SectorSize()
	t.CanDiscard, t.DiscardZeroes = src.Describe().CanDiscard(), src.Describe().DiscardZeroes()
	if t.Unfinished, err = deploy.Unfinished(src); err != nil {
		return t, err
	}
	t.holds, t.Blank, err = holds(ctx, src)
	if t.Unfinished != "" {
		t.holds, t.Blank = "an unfinished deploy of "+t.Unfinished, false
	}
	return t, err
}

// holds says in a line what is on a disk, and whether that is nothing.
func holds(ctx context.Context, r block.Reader) (what string, blank bool, err error) {
	d, err := survey.Look(ctx, r, all.Formats())
	if err != nil {
		return fmt.Sprintf("something that cannot be read (%v)", err), false, ctx.Err()
	}
	var kinds []string
	for _, v := range d.Volumes {
		kind := v.Info.Kind
		if v.Info.Label != "" {
			kind += fmt.Sprintf(" %q", v.Info.Label)
		}
		kinds = append(kinds, kind)
	}
	if d.Table.Kind != part.None {
		return fmt.Sprintf("%s table with %s", strings.ToUpper(string(d.Table.Kind)), strings.Join(kinds, ", ")), false, nil
	}
	if d.Volumes[0].Info.Kind != "unknown" || d.Volumes[0].Damage != nil {
		return kinds[0], false, nil
	}
	blank, err = looksBlank(r)
	if blank {
		return "nothing", true, err
	}
	return "data of unknown kind", false, err
}

// looksBlank reads samples: the first and last MiB and sixteen places between.
// Taking a disk with data for blank costs no byte, only the question whether to
// overwrite it, so the samples are where data lies if there is any.
func looksBlank(r block.Reader) (bool, error) {
	const sample = 1 << 20
	buf := make([]byte, sample)
	last := max(0, r.Size()-sample)
	for i := range int64(17) {
		b := buf[:min(sample, r.Size())]
		if err := block.ReadFull(r, b, last/16*i+last%16*i/16); err != nil {
			return false, err
		}
		if len(strings.Trim(string(b), "\x00")) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// planned is a plan as JSON.
type planned struct {
	What    string            `json:"what"`
	Target  string            `json:"target"`
	Size    int64             `json:"targetBytes"`
	Holds   string            `json:"holds"`
	Delta   bool              `json:"delta"`
	Free    deploy.FreeSpace  `json:"free"`
	Data    int64             `json:"dataBytes"`
	Regions []plannedRegion   `json:"regions"`
	NewIDs  map[string]string `json:"newIDs,omitempty"`
	Notes   []string          `json:"notes,omitempty"`
}

type plannedRegion struct {
	Partition int    `json:"partition,omitempty"`
	Title     string `json:"title"`
	At        int64  `json:"at"`
	Size      int64  `json:"bytes"`
	Data      int64  `json:"dataBytes"`
}

func planReport(p *deploy.Plan, t targetLook) planned {
	out := planned{p.What, t.Path, p.Target.Size, t.holds, p.Delta, p.Free, p.Bytes(), nil, p.NewIDs, p.Notes}
	for _, r := range p.Regions {
		out.Regions = append(out.Regions, plannedRegion{r.Partition, r.Title(), r.At, r.Size, r.Data})
	}
	return out
}

// writePlan prints a plan for a person.
func writePlan(w io.Writer, p *deploy.Plan, t targetLook) {
	fmt.Fprintf(w, "Plan: put %s onto %s (%s), which holds %s.\n", p.What, t.Path, report.Bytes(p.Target.Size), t.holds)
	for _, r := range p.Regions {
		if r.Volume == nil && r.Size < 16<<20 {
			continue
		}
		fmt.Fprintf(w, "  at %10s  %10s  %s, %s of data\n", report.Bytes(r.At), report.Bytes(r.Size), r.Title(), report.Bytes(r.Data))
	}
	how := "Everything is written"
	if p.Delta {
		how = "Only what differs is written"
	}
	fmt.Fprintf(w, "  %s; unused space: %s; the partition table comes last.\n", how, p.Free)
	for _, n := range p.Notes {
		fmt.Fprintf(w, "  Note: %s.\n", n)
	}
}
