package db

import (
	"context"
	"slices"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

const selectGroup = `SELECT g.data, (SELECT COUNT(*) FROM members WHERE machine_group = g.name) FROM machine_groups g`

func scanGroup(row scanner) (g fleet.Group, err error) {
	var n int
	err = scanDocument(row, &g, &n)
	g.Machines = n
	return g, err
}

// Groups are all groups.
func (r records) Groups(ctx context.Context) ([]fleet.Group, error) {
	return list(ctx, r.reader(), scanGroup, selectGroup+` ORDER BY g.name`)
}

// Group is the one with a name.
func (r records) Group(ctx context.Context, name string) (fleet.Group, error) {
	return one(ctx, r.reader(), scanGroup, selectGroup+` WHERE g.name = ?`, name)
}

// PutGroup keeps a group.
func (r records) PutGroup(ctx context.Context, g fleet.Group) error {
	g.Machines = 0
	data, err := encode(g)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO machine_groups (name, data) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET data = excluded.data`, g.Name, data)
		return err
	})
}

// makeGroup makes a group that a machine is put into, if there is none.
func makeGroup(ctx context.Context, q query, name string) error {
	data, err := encode(fleet.Group{Name: name})
	if err != nil {
		return err
	}
	_, err = q.exec(ctx, `INSERT INTO machine_groups (name, data) VALUES (?, ?) ON CONFLICT (name) DO NOTHING`, name, data)
	return err
}

// RemoveGroup removes a group; its machines are no longer in it.
func (r records) RemoveGroup(ctx context.Context, name string) error {
	return r.within(ctx, func(r records) error {
		members, err := list(ctx, r.query(r.tx), scanMachine, selectMachine+` WHERE m.id IN (SELECT machine FROM members WHERE machine_group = ?)`, name)
		if err != nil {
			return err
		}
		for _, m := range members {
			m.Groups = slices.DeleteFunc(m.Groups, func(g string) bool { return g == name })
			if err := r.PutMachine(ctx, m); err != nil {
				return err
			}
		}
		return r.query(r.tx).must(ctx, `DELETE FROM machine_groups WHERE name = ?`, name)
	})
}

// Rules are all rules.
func (r records) Rules(ctx context.Context) ([]fleet.Rule, error) {
	return list(ctx, r.reader(), document[fleet.Rule], `SELECT data FROM rules ORDER BY made, id`)
}

// PutRule keeps a rule.
func (r records) PutRule(ctx context.Context, rule fleet.Rule) error {
	kept(&rule.Made)
	data, err := encode(rule)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO rules (id, made, data) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET made = excluded.made, data = excluded.data`,
			rule.ID, micros(rule.Made), data)
		return err
	})
}

// RemoveRule removes a rule.
func (r records) RemoveRule(ctx context.Context, id string) error {
	return r.write(ctx, func(q query) error { return q.must(ctx, `DELETE FROM rules WHERE id = ?`, id) })
}
