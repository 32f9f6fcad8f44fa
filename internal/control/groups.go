package control

import (
	"context"
	"slices"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Groups are all groups, by name.
func (c *Control) Groups(ctx context.Context, actor fleet.Actor) ([]fleet.Group, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	return c.records.Groups(ctx)
}

// AddGroup makes a group, or replaces the notes of one.
func (c *Control) AddGroup(ctx context.Context, actor fleet.Actor, name, notes string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "group.add", object: "group " + name, events: []Event{{TopicMachine, ""}}}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if problem := fleet.NameProblem(name); problem != "" {
			return &InvalidError{"name", problem}
		}
		return r.PutGroup(ctx, fleet.Group{Name: name, Notes: cleanNotes(notes)})
	})
}

// RemoveGroup removes a group; its machines stay. A rule that puts machines into it
// goes first.
func (c *Control) RemoveGroup(ctx context.Context, actor fleet.Actor, name string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "group.remove", object: "group " + name, events: []Event{{TopicMachine, ""}}}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		rules, err := r.Rules(ctx)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(rules, func(rule fleet.Rule) bool { return rule.Group == name }); i >= 0 {
			return &ConflictError{Message: "the rule " + rules[i].Name + " puts machines into this group; remove it first"}
		}
		return found(r.RemoveGroup(ctx, name), "group", name)
	})
}

// Join puts machines into a group, which must exist.
func (c *Control) Join(ctx context.Context, actor fleet.Actor, group string, ids []string) error {
	return c.changeMachines(ctx, deed{actor: actor, action: "machine.join"}, ids, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		if _, err := r.Group(ctx, group); err != nil {
			return "", found(err, "group", group)
		}
		m.Groups = joined(m.Groups, group)
		return "group " + group, nil
	})
}

func joined(groups []string, group string) []string {
	if group == "" || slices.Contains(groups, group) {
		return groups
	}
	groups = append(slices.Clone(groups), group)
	slices.Sort(groups)
	return groups
}

// Leave takes machines out of a group.
func (c *Control) Leave(ctx context.Context, actor fleet.Actor, group string, ids []string) error {
	return c.changeMachines(ctx, deed{actor: actor, action: "machine.leave"}, ids, func(ctx context.Context, r Records, m *fleet.Machine, d *deed) (string, error) {
		m.Groups = slices.DeleteFunc(slices.Clone(m.Groups), func(g string) bool { return g == group })
		return "group " + group, nil
	})
}

// Rules are all rules that approve machines.
func (c *Control) Rules(ctx context.Context, actor fleet.Actor) ([]fleet.Rule, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	return c.records.Rules(ctx)
}

// AddRule makes a rule of its Name, Field, Match and Group, and approves the machines
// that wait and that it is about.
func (c *Control) AddRule(ctx context.Context, actor fleet.Actor, rule fleet.Rule) (fleet.Rule, error) {
	d := deed{actor: actor, need: fleet.Admin, action: "rule.add", object: "rule " + rule.Name}
	err := c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		if field, problem := rule.Problem(); problem != "" {
			return &InvalidError{field, problem}
		}
		var err error
		if rule.ID, err = c.newID("r-"); err != nil {
			return err
		}
		rule.Made, rule.MadeBy = c.now(), actor.Name
		d.also("rule "+rule.ID+" ("+rule.Name+")", rule.Field+" "+rule.Match)
		if err := r.PutRule(ctx, rule); err != nil {
			return err
		}
		pending, _, err := r.Machines(ctx, MachineFilter{State: wire.Pending})
		if err != nil {
			return err
		}
		for _, m := range pending {
			if !approvedBy(&m, []fleet.Rule{rule}) {
				continue
			}
			if err := r.PutMachine(ctx, m); err != nil {
				return err
			}
			d.more = append(d.more, done{"machine.approve", titleOf(m), m.Why})
			d.event(TopicMachine, m.ID)
			d.woken = append(d.woken, m.ID)
		}
		return nil
	})
	return rule, err
}

// approvedBy applies the first rule that is about a pending machine. One whose
// identity others claim too is for people to look at.
func approvedBy(m *fleet.Machine, rules []fleet.Rule) bool {
	if m.State != wire.Pending || len(m.Conflicts) > 0 || m.Stick {
		return false
	}
	i := slices.IndexFunc(rules, func(r fleet.Rule) bool { return r.Matches(*m) })
	if i < 0 {
		return false
	}
	m.State, m.Why = wire.Approved, "rule '"+rules[i].Name+"'"
	m.Groups = joined(m.Groups, rules[i].Group)
	return true
}

// RemoveRule removes a rule; whom it approved stays approved.
func (c *Control) RemoveRule(ctx context.Context, actor fleet.Actor, id string) error {
	d := deed{actor: actor, need: fleet.Admin, action: "rule.remove", object: "rule " + id}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		return found(r.RemoveRule(ctx, id), "rule", id)
	})
}
