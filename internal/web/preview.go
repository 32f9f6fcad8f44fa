package web

import (
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// preview is what work would do, machine by machine.
type preview struct {
	Title    string
	Problems problems // with all of it
	Warnings []string
	Rows     []planRow
	Stops    bool
	Bad      int // machines with problems
	Erases   bool
	Facts    []fact
}

// planRow is what one machine would get.
type planRow struct {
	ID, Name, Hostname string
	Online             bool
	Disk               string // "Samsung 980, 512 GiB"
	Path               string
	Holds              string // what is lost
	Problems, Warnings []string
}

// preview asks control. What cannot be previewed at all is a problem of the whole.
func (v *visit) preview(spec fleet.BatchSpec) (*preview, error) {
	p, err := v.ctl.Preview(v.r.Context(), v.actor, spec)
	if wrong := formProblems(err); wrong != nil {
		return &preview{Title: kindOf(spec.Kind).noun, Problems: wrong, Stops: true}, nil
	}
	if err != nil {
		return nil, err
	}
	all := &preview{Title: kindOf(spec.Kind).noun, Warnings: p.Warnings, Stops: p.Stops(), Erases: spec.Kind == wire.Deploy || spec.Kind == wire.Wipe}
	for _, one := range p.Problems {
		all.Problems = append(all.Problems, problem{one.Field, one.Message})
	}
	for _, m := range p.Machines {
		all.Rows = append(all.Rows, newPlanRow(m))
		if len(m.Problems) > 0 {
			all.Bad++
		}
	}
	for _, f := range specFacts(fleet.Batch{Spec: p.Spec, MadeBy: v.actor.Name, Made: v.now}, v.now) {
		if f.Name != "Asked for by" {
			all.Facts = append(all.Facts, f)
		}
	}
	return all, nil
}

func newPlanRow(m control.Planned) planRow {
	row := planRow{ID: m.Machine, Name: m.Name, Hostname: m.Hostname, Online: m.Online, Problems: m.Problems, Warnings: m.Warnings}
	if m.Disk != nil {
		row.Disk, row.Path, row.Holds = m.Disk.Model, m.Disk.Path, m.Disk.Holds
		if row.Disk != "" {
			row.Disk += ", "
		}
		row.Disk += size(m.Disk.Size)
	}
	return row
}

// Machines is how many it would have.
func (p preview) Machines() int { return len(p.Rows) }
