package db

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// selectMachine is followed by a condition on m.
const selectMachine = `SELECT d.data, m.seen, m.addr FROM machines m JOIN machine_documents d ON d.machine = m.id`

// scanMachine puts together what is in the document and what changes all the time.
func scanMachine(row scanner) (m fleet.Machine, err error) {
	var seen int64
	err = scanDocument(row, &m, &seen, &m.Addr)
	m.LastSeen = fromMicros(seen)
	return m, err
}

// Machine is the one with an ID.
func (r records) Machine(ctx context.Context, id string) (fleet.Machine, error) {
	return one(ctx, r.reader(), scanMachine, selectMachine+` WHERE m.id = ?`, id)
}

// MachineNamed is the one with a name.
func (r records) MachineNamed(ctx context.Context, name string) (fleet.Machine, error) {
	return one(ctx, r.reader(), scanMachine, selectMachine+` WHERE m.name = ?`, strings.ToLower(name))
}

// maxLike bounds the machines that are like another one. Hundreds are so only in
// what their maker forgot to set; the ones that share most are among the first.
const maxLike = 100

// MachinesLike are those that share something with identity.
func (r records) MachinesLike(ctx context.Context, identity fleet.Identity) ([]fleet.Machine, error) {
	keys := identity.Keys()
	if len(keys) == 0 {
		return nil, nil
	}
	var args []any
	for _, key := range keys {
		args = append(args, key)
	}
	return list(ctx, r.reader(), scanMachine, selectMachine+` JOIN (
		SELECT machine, COUNT(*) AS shared FROM machine_keys WHERE machine_key IN (`+marks(len(keys))+`)
		GROUP BY machine ORDER BY shared DESC, machine LIMIT ?
	) l ON l.machine = m.id ORDER BY m.id`, append(args, maxLike)...)
}

// MachineNames are the machines that have names.
func (r records) MachineNames(ctx context.Context, names []string) ([]control.NameUse, error) {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	slices.Sort(lower)
	var uses []control.NameUse
	for portion, args := range portions(slices.DeleteFunc(slices.Compact(lower), func(s string) bool { return s == "" })) {
		in := ` IN (` + marks(len(portion)) + `)`
		found, err := list(ctx, r.reader(), func(row scanner) (u control.NameUse, err error) {
			err = row(&u.Name, &u.Machine)
			return u, err
		}, `SELECT name, id FROM machines WHERE name`+in+` UNION SELECT hostname, id FROM machines WHERE hostname`+in+` ORDER BY 1, 2`,
			append(args, args...)...)
		if err != nil {
			return nil, err
		}
		uses = append(uses, found...)
	}
	return uses, nil
}

// PutMachine keeps a machine.
func (r records) PutMachine(ctx context.Context, m fleet.Machine) error {
	kept(&m.FirstSeen, &m.LastSeen)
	stored := m
	stored.LastSeen, stored.Addr = time.Time{}, ""
	data, err := encode(stored)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		name := strings.ToLower(m.Name)
		// Asked beforehand: after an error PostgreSQL ends the transaction.
		taken, err := count(ctx, q, `SELECT COUNT(*) FROM machines WHERE name = ? AND id <> ?`, name, m.ID)
		if err == nil && taken > 0 {
			err = control.ErrDuplicate
		}
		if err != nil {
			return err
		}
		if _, err := q.exec(ctx, `INSERT INTO machines (id, name, hostname, state, maker, model, serial, boot, first, addr, seen, words)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name, hostname = excluded.hostname,
			state = excluded.state, maker = excluded.maker, model = excluded.model, serial = excluded.serial, boot = excluded.boot,
			first = excluded.first, addr = excluded.addr, seen = excluded.seen, words = excluded.words`,
			m.ID, name, strings.ToLower(m.Hostname), string(m.State), m.Inventory.Maker, m.Inventory.Model, m.Inventory.Serial,
			m.Boot, micros(m.FirstSeen), m.Addr, micros(m.LastSeen), words(m)); err != nil {
			return err
		}
		if _, err := q.exec(ctx, `INSERT INTO machine_documents (machine, data) VALUES (?, ?) ON CONFLICT (machine) DO UPDATE SET data = excluded.data`,
			m.ID, data); err != nil {
			return err
		}
		return putPlaces(ctx, q, m)
	})
}

// words are what of a machine is searched, in lower case; its address is beside
// them. MACs are there with and without colons.
func words(m fleet.Machine) string {
	f := m.Inventory.Facts
	parts := []string{m.Name, m.Hostname, f.Maker, f.Model, f.Version, f.Serial, f.Asset, m.Identity.Serial, m.Identity.Asset, m.Notes}
	macs := slices.Concat(m.Identity.MACs, f.MACs)
	for _, n := range m.Inventory.NICs {
		macs = append(macs, n.MAC)
	}
	slices.Sort(macs)
	for _, mac := range slices.Compact(macs) {
		parts = append(parts, mac, strings.ReplaceAll(mac, ":", ""))
	}
	return strings.ToLower(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n"))
}

// putPlaces keeps by what a machine is found and in which groups it is.
func putPlaces(ctx context.Context, q query, m fleet.Machine) error {
	for _, group := range m.Groups {
		if err := makeGroup(ctx, q, group); err != nil {
			return err
		}
	}
	for _, set := range []struct {
		table, column string
		wanted        []string
	}{{"machine_keys", "machine_key", m.Identity.Keys()}, {"members", "machine_group", m.Groups}} {
		if err := putSet(ctx, q, set.table, set.column, m.ID, set.wanted); err != nil {
			return err
		}
	}
	return nil
}

// putSet makes the values that a machine has in a table those that are wanted.
// Mostly they are already, and nothing is written.
func putSet(ctx context.Context, q query, table, column, machine string, wanted []string) error {
	had, err := list(ctx, q, text, `SELECT `+column+` FROM `+table+` WHERE machine = ?`, machine)
	if err != nil {
		return err
	}
	for _, value := range had {
		if slices.Contains(wanted, value) {
			continue
		}
		if _, err := q.exec(ctx, `DELETE FROM `+table+` WHERE machine = ? AND `+column+` = ?`, machine, value); err != nil {
			return err
		}
	}
	for _, value := range wanted {
		if slices.Contains(had, value) {
			continue
		}
		if _, err := q.exec(ctx, `INSERT INTO `+table+` (machine, `+column+`) VALUES (?, ?) ON CONFLICT DO NOTHING`, machine, value); err != nil {
			return err
		}
	}
	return nil
}

// text scans a row that is a text alone.
func text(row scanner) (s string, err error) {
	err = row(&s)
	return s, err
}

// TouchMachines keeps signs of life.
func (r records) TouchMachines(ctx context.Context, seen []control.Seen) error {
	if len(seen) == 0 {
		return nil
	}
	return r.write(ctx, func(q query) error {
		for _, s := range seen {
			if _, err := q.exec(ctx, `UPDATE machines SET seen = ?, addr = ? WHERE id = ?`, micros(s.At), s.Addr, s.Machine); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveMachine forgets a machine.
func (r records) RemoveMachine(ctx context.Context, id string) error {
	return r.write(ctx, func(q query) error {
		if err := q.must(ctx, `DELETE FROM machines WHERE id = ?`, id); err != nil {
			return err
		}
		_, err := q.exec(ctx, `DELETE FROM agent_sessions WHERE machine = ?`, id)
		return err
	})
}
