package db

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Machines are a page of machines.
func (r records) Machines(ctx context.Context, filter control.MachineFilter) (page []fleet.Machine, total int, err error) {
	order, err := machineOrder(filter.Sort)
	if err != nil {
		return nil, 0, err
	}
	w := r.pool.machineWhere(filter)
	err = r.read(ctx, func(q query) error {
		if total, err = count(ctx, q, `SELECT COUNT(*) FROM machines m`+w.String(), w.args...); err != nil {
			return err
		}
		page, err = list(ctx, q, scanMachine, `SELECT d.data, m.seen, m.addr FROM (SELECT * FROM machines m`+w.String()+
			order+pageOf(filter.Offset, filter.Limit)+`) m JOIN machine_documents d ON d.machine = m.id`+order, w.args...)
		return err
	})
	return page, total, err
}

func (d dialect) machineWhere(filter control.MachineFilter) *where {
	w := &where{}
	if filter.Search != "" {
		search := strings.ToLower(filter.Search)
		w.add(`(`+d.contains(`m.words`)+` OR `+d.contains(`lower(m.addr)`)+`)`, search, search)
	}
	if filter.State != "" {
		w.add(`m.state = ?`, string(filter.State))
	}
	if filter.Maker != "" {
		w.add(`m.maker = ?`, filter.Maker)
	}
	if filter.Group != "" {
		w.add(`m.id IN (SELECT machine FROM members WHERE machine_group = ?)`, filter.Group)
	}
	if filter.Online != nil {
		online := `(m.boot <> '' AND m.seen > ?)`
		if !*filter.Online {
			online = `NOT ` + online
		}
		w.add(online, micros(filter.Since))
	}
	return w
}

// machineOrder is the order of a page. What is not one of MachineSorts is an error:
// it would be part of a statement.
func machineOrder(sort string) (string, error) {
	column, down := strings.CutPrefix(sort, "-")
	if column == "" {
		column = "name"
	}
	if !slices.Contains(control.MachineSorts(), column) {
		return "", fmt.Errorf("machines cannot be sorted by %q", column)
	}
	if slices.Contains([]string{"maker", "model", "serial"}, column) {
		column = `lower(m.` + column + `)`
	} else {
		column = `m.` + column
	}
	if down {
		column += ` DESC`
	}
	return ` ORDER BY ` + column + `, m.id`, nil
}

// MachineCounts are numbers of machines.
func (r records) MachineCounts(ctx context.Context, since time.Time) (control.MachineCounts, error) {
	counts := control.MachineCounts{State: map[wire.State]int{}}
	_, err := list(ctx, r.reader(), func(row scanner) (none struct{}, err error) {
		var state wire.State
		var n, online int
		err = row(&state, &n, &online)
		counts.State[state] = n
		counts.Online += online
		return none, err
	}, `SELECT state, COUNT(*), SUM(CASE WHEN boot <> '' AND seen > ? THEN 1 ELSE 0 END) FROM machines GROUP BY state`, micros(since))
	return counts, err
}
