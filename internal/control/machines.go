package control

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Machines are a page of those that filter lets through, and how many there are in
// all.
func (c *Control) Machines(ctx context.Context, actor fleet.Actor, filter MachineFilter) ([]fleet.Machine, int, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, 0, err
	}
	filter.Since = c.now().Add(-fleet.OnlineFor)
	filter.Search = clean(filter.Search, maxName)
	filter.Limit, filter.Offset = page(filter.Limit, filter.Offset)
	if column := strings.TrimPrefix(filter.Sort, "-"); column != "" && !slices.Contains(MachineSorts(), column) {
		return nil, 0, &InvalidError{"sort", "want one of " + strings.Join(MachineSorts(), ", ")}
	}
	machines, total, err := c.records.Machines(ctx, filter)
	for i := range machines {
		machines[i] = c.live.overlay(machines[i])
	}
	return machines, total, err
}

// page bounds a page; without a limit it is as large as it may be.
func page(limit, offset int) (int, int) {
	if limit <= 0 {
		limit = fleet.MaxBatch
	}
	return min(limit, fleet.MaxBatch), max(offset, 0)
}

// Machine finds a machine by its ID or name.
func (c *Control) Machine(ctx context.Context, actor fleet.Actor, idOrName string) (fleet.Machine, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return fleet.Machine{}, err
	}
	m, err := machineBy(ctx, c.records, idOrName)
	return c.live.overlay(m), err
}

func machineBy(ctx context.Context, r Records, idOrName string) (fleet.Machine, error) {
	m, err := r.Machine(ctx, idOrName)
	if errors.Is(err, ErrNoRecord) {
		m, err = r.MachineNamed(ctx, idOrName)
	}
	return m, found(err, "machine", idOrName)
}

func titleOf(m fleet.Machine) string { return "machine " + m.ID + " (" + m.Name + ")" }

// changeMachines reads, changes and keeps machines, each with its own audit entry.
// What change returns is the entry's detail.
func (c *Control) changeMachines(ctx context.Context, d deed, ids []string, change func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error)) error {
	d.need = fleet.Operator
	d.object = "machines " + strings.Join(ids[:min(len(ids), 20)], ", ")
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if len(ids) == 0 || len(ids) > fleet.MaxBatch {
			return &InvalidError{"machines", fmt.Sprintf("choose from 1 to %d machines", fleet.MaxBatch)}
		}
		for _, id := range ids {
			m, err := machineBy(ctx, r, id)
			if err != nil {
				return err
			}
			detail, err := change(ctx, r, &m, d)
			if err != nil {
				return err
			}
			if err := putMachine(ctx, r, m); err != nil {
				return err
			}
			d.also(titleOf(m), detail)
			d.event(TopicMachine, m.ID)
			d.woken = append(d.woken, m.ID)
		}
		return nil
	})
}

// putMachine keeps a machine, whose name must be its own. The check comes first,
// since a statement that fails ends a transaction.
func putMachine(ctx context.Context, r Records, m fleet.Machine) error {
	if other, err := r.MachineNamed(ctx, m.Name); err == nil && other.ID != m.ID {
		return &ConflictError{Message: fmt.Sprintf("the machine %s has the name %s already", other.ID, m.Name)}
	} else if err != nil && !errors.Is(err, ErrNoRecord) {
		return err
	}
	return r.PutMachine(ctx, m)
}

// Approve lets machines have jobs. names are new names of some of them, by ID.
func (c *Control) Approve(ctx context.Context, actor fleet.Actor, ids []string, names map[string]string) error {
	return c.changeMachines(ctx, deed{actor: actor, action: "machine.approve"}, ids, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		if name := names[m.ID]; name != "" {
			if problem := fleet.NameProblem(name); problem != "" {
				return "", &InvalidError{"name", problem}
			}
			m.Name = name
		}
		m.State, m.Why, m.Stick, m.Conflicts = wire.Approved, "by "+actor.Name, false, nil
		return "", nil
	})
}

// Reject keeps machines from having jobs until somebody approves them, and cancels
// those that they have.
func (c *Control) Reject(ctx context.Context, actor fleet.Actor, ids []string) error {
	return c.changeMachines(ctx, deed{actor: actor, action: "machine.reject"}, ids, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		m.State, m.Why = wire.Rejected, "by "+actor.Name
		return "", c.cancelJobsOf(ctx, r, d, m.ID, "the machine was rejected by "+actor.Name)
	})
}

// Forget removes machines; one that starts again is a new one. A machine that works
// is a *ConflictError.
func (c *Control) Forget(ctx context.Context, actor fleet.Actor, ids []string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "machine.forget", object: "machines " + strings.Join(ids[:min(len(ids), 20)], ", ")}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		for _, id := range ids {
			m, err := machineBy(ctx, r, id)
			if err != nil {
				return err
			}
			if err := c.forget(ctx, r, d, m, "the machine was forgotten by "+actor.Name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (c *Control) forget(ctx context.Context, r Records, d *deed, m fleet.Machine, why string) error {
	jobs, err := r.OpenJobs(ctx, m.ID)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(jobs, func(j fleet.Job) bool { return j.State.Active() }) {
		return &ConflictError{Message: m.Name + " has a job that runs; cancel it first"}
	}
	if err := c.cancelJobsOf(ctx, r, d, m.ID, why); err != nil {
		return err
	}
	d.also(titleOf(m), "")
	d.event(TopicMachine, m.ID)
	d.woken = append(d.woken, m.ID)
	return r.RemoveMachine(ctx, m.ID)
}

// Rename gives a machine another name.
func (c *Control) Rename(ctx context.Context, actor fleet.Actor, id, name string) error {
	return c.changeMachine(ctx, actor, "machine.rename", id, func(m *fleet.Machine) (string, error) {
		if problem := fleet.NameProblem(name); problem != "" {
			return "", &InvalidError{"name", problem}
		}
		was := m.Name
		m.Name = name
		return "was " + was, nil
	})
}

func (c *Control) changeMachine(ctx context.Context, actor fleet.Actor, action, id string, change func(m *fleet.Machine) (string, error)) error {
	return c.changeMachines(ctx, deed{actor: actor, action: action}, []string{id}, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		return change(m)
	})
}

// SetHostname sets the host name that deploys give a machine; "": what the profile
// says.
func (c *Control) SetHostname(ctx context.Context, actor fleet.Actor, id, hostname string) error {
	return c.changeMachines(ctx, deed{actor: actor, action: "machine.hostname"}, []string{id}, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		if hostname != "" {
			if problem := fleet.HostnameProblem(hostname); problem != "" {
				return "", &InvalidError{"hostname", problem}
			}
			uses, err := r.MachineNames(ctx, []string{hostname})
			if err != nil {
				return "", err
			}
			for _, u := range uses {
				if u.Machine != m.ID {
					return "", &ConflictError{Message: "the machine " + u.Machine + " is called " + hostname + " already"}
				}
			}
		}
		m.Hostname = hostname
		return hostname, nil
	})
}

var valueName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// SetValues replaces a machine's values for placeholders.
func (c *Control) SetValues(ctx context.Context, actor fleet.Actor, id string, values fleet.Values) error {
	return c.changeMachine(ctx, actor, "machine.values", id, func(m *fleet.Machine) (string, error) {
		if len(values) > 100 {
			return "", &InvalidError{"values", "at most 100 values"}
		}
		var names []string
		m.Values = fleet.Values{}
		for name, value := range values {
			if !valueName.MatchString(name) {
				return "", &InvalidError{"values", fmt.Sprintf("%q cannot be a placeholder: want a small letter, then letters, digits, hyphens and underscores", clean(name, 60))}
			}
			if value != clean(value, maxText) {
				return "", &InvalidError{"values", fmt.Sprintf("the value of %s has control characters, blanks at its ends, or more than %d characters", name, maxText)}
			}
			m.Values[name] = value
			names = append(names, name)
		}
		slices.Sort(names)
		return strings.Join(names, ", "), nil // a value may be a secret
	})
}

// SetNotes replaces what people wrote about a machine.
func (c *Control) SetNotes(ctx context.Context, actor fleet.Actor, id, notes string) error {
	return c.changeMachine(ctx, actor, "machine.notes", id, func(m *fleet.Machine) (string, error) {
		m.Notes = cleanNotes(notes)
		return "", nil
	})
}

// Wake wakes machines.
func (c *Control) Wake(ctx context.Context, actor fleet.Actor, ids []string) error {
	var macs []string
	err := c.changeMachines(ctx, deed{actor: actor, action: "machine.wake"}, ids, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		if len(d.more) == 0 {
			macs = nil
		}
		if c.wake == nil {
			return "", &ConflictError{Message: "this server cannot wake machines: it serves no network interface"}
		}
		if len(m.Identity.MACs) == 0 {
			return "", &ConflictError{Message: m.Name + " has no network interface of its own that could be woken"}
		}
		macs = append(macs, m.Identity.MACs...)
		return "", nil
	})
	if err != nil {
		return err
	}
	return c.wakeAll(ctx, macs)
}

func (c *Control) wakeAll(ctx context.Context, macs []string) error {
	var failed error
	for _, mac := range macs {
		if err := c.wake(ctx, mac); err != nil {
			failed = errors.Join(failed, fmt.Errorf("wake %s: %w", mac, err))
		}
	}
	return failed
}
