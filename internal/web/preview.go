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
	LeaveOut string // URL of the plan without the machines that have problems; "" for none
	Exact    choice // what is started by a click: what the plan shows, whoever joins a group meanwhile
	Facts    []fact
	spec     fleet.BatchSpec // as a batch would keep it
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

// plan is the preview of what was chosen, with what was wrong when it was to be
// started. base is the path of the page, for the plan without some machines.
func (v *visit) plan(base string, c choice, wrong problems) (*preview, error) {
	spec, unclear := c.spec(v.now.Location())
	p, err := v.preview(spec)
	if err != nil {
		return nil, err
	}
	p.Exact = c
	if !p.Stops {
		p.Exact = c.exactly(p.spec)
	}
	if unclear != nil {
		p.Problems, p.Stops = append(unclear, p.Problems...), true
	}
	if !p.Stops { // otherwise the plan says the same
		p.Problems = append(p.Problems, wrong...)
	}
	if p.Bad > 0 && p.Bad < len(p.Rows) {
		p.LeaveOut = c.only(p.ready()).path(base, "plan")
	}
	return p, nil
}

func (v *visit) preview(spec fleet.BatchSpec) (*preview, error) {
	p, err := v.ctl.Preview(v.r.Context(), v.actor, spec)
	if err != nil {
		return nil, err
	}
	all := &preview{spec: p.Spec, Title: kindOf(spec.Kind).noun, Warnings: p.Warnings, Stops: p.Stops(), Erases: spec.Kind == wire.Deploy || spec.Kind == wire.Wipe}
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

// ready are the machines without problems.
func (p preview) ready() (ids []string) {
	for _, row := range p.Rows {
		if len(row.Problems) == 0 {
			ids = append(ids, row.ID)
		}
	}
	return ids
}

// names are those of its machines.
func (p preview) names() (all []string) {
	for _, row := range p.Rows {
		all = append(all, row.Name)
	}
	return all
}
