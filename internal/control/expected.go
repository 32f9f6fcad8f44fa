package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// ImportReport is what an import did.
type ImportReport struct {
	Lines    int             `json:"lines"` // with machines
	Added    int             `json:"added"`
	Updated  int             `json:"updated"`
	Problems []ImportProblem `json:"problems,omitempty"`
}

// ImportProblem is a line that was left out, and why.
type ImportProblem = fleet.Problem

// ImportMachines reads machines from CSV and approves them, those that were never
// seen as well; fleet.ReadExpected has the format. Lines with problems are left out,
// and said to be.
func (c *Control) ImportMachines(ctx context.Context, actor fleet.Actor, csv io.Reader) (ImportReport, error) {
	data, err := io.ReadAll(io.LimitReader(csv, fleet.MaxExpected+1))
	if err != nil {
		return ImportReport{}, err
	}
	list, problems := fleet.ReadExpected(data)
	var report ImportReport
	d := deed{actor: actor, need: fleet.Operator, action: "machine.import"}
	err = c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		report = ImportReport{Lines: len(list) + len(problems), Problems: append([]ImportProblem(nil), problems...)}
		for _, e := range list {
			problem, err := c.expect(ctx, r, d, actor, e, &report)
			if err != nil {
				return err
			}
			if problem != "" {
				report.Problems = append(report.Problems, ImportProblem{Line: e.Line, Message: problem})
			}
		}
		d.more = append(d.more, done{d.action, "", fmt.Sprintf("%d added, %d updated, %d lines left out", report.Added, report.Updated, len(report.Problems))})
		return nil
	})
	return report, err
}

// expect keeps one machine of a list, or says why not.
func (c *Control) expect(ctx context.Context, r Records, d *deed, actor fleet.Actor, e fleet.Expected, report *ImportReport) (problem string, err error) {
	known, err := r.MachinesLike(ctx, e.Identity)
	if err != nil {
		return "", err
	}
	best, sure, conflicts := fleet.Match(e.Identity, known)
	if best != nil && !sure {
		return "it may be a machine that is known, or not: " + strings.Join(conflicts, "; "), nil
	}
	m := fleet.Machine{Expected: true}
	if best != nil {
		m = *best
	} else if m.ID, err = c.newID("m-"); err != nil {
		return "", err
	}
	if problem, err = c.nameExpected(ctx, r, e, &m); problem != "" || err != nil {
		return problem, err
	}
	m.Identity = e.Identity.With(m.Identity)
	m.State, m.Why, m.Groups = wire.Approved, "list of "+actor.Name, joined(m.Groups, e.Group)
	if e.Hostname != "" {
		m.Hostname = e.Hostname
	}
	if e.Values != nil {
		m.Values = e.Values
	}
	if best != nil {
		report.Updated++
	} else {
		report.Added++
	}
	d.also(titleOf(m), fmt.Sprintf("line %d", e.Line))
	d.event(TopicMachine, m.ID)
	d.woken = append(d.woken, m.ID)
	return "", r.PutMachine(ctx, m)
}

// nameExpected gives the machine the list's name, which no other may have; one
// without is named after what it is known by.
func (c *Control) nameExpected(ctx context.Context, r Records, e fleet.Expected, m *fleet.Machine) (problem string, err error) {
	if e.Hostname != "" {
		uses, err := r.MachineNames(ctx, []string{e.Hostname})
		if err != nil {
			return "", err
		}
		for _, u := range uses {
			if u.Machine != m.ID {
				return fmt.Sprintf("the machine %s is called %s already", u.Machine, e.Hostname), nil
			}
		}
	}
	if e.Name == "" && m.Name != "" {
		return "", nil
	}
	if e.Name == "" {
		m.Name, err = c.freeName(ctx, r, nameOf(e.Identity))
		return "", err
	}
	other, err := r.MachineNamed(ctx, e.Name)
	if err == nil && other.ID != m.ID {
		return fmt.Sprintf("the machine %s has the name %s already", other.ID, e.Name), nil
	}
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return "", err
	}
	m.Name = e.Name
	return "", nil
}

func nameOf(id fleet.Identity) string {
	_, serial, _ := strings.Cut(id.Serial, "/")
	inv := wire.Inventory{}
	inv.Serial, inv.UUID, inv.MACs = serial, id.UUID, id.MACs
	for _, mac := range id.MACs {
		inv.NICs = append(inv.NICs, wire.NIC{MAC: mac})
	}
	return fleet.DefaultName(inv)
}

// freeName is name, or name with a number, that no machine has.
func (c *Control) freeName(ctx context.Context, r Records, name string) (string, error) {
	var failed error
	free := fleet.UniqueName(name, func(name string) bool {
		_, err := r.MachineNamed(ctx, name)
		if err != nil && !errors.Is(err, ErrNoRecord) {
			failed = err
		}
		return err == nil
	})
	return free, failed
}
