package db

import (
	"context"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const (
	// keepAudit bounds the audit log: years of a busy site, and what can still be
	// searched in a second.
	keepAudit = 1_000_000
	// pageDefault is how many entries a page has when nobody says.
	pageDefault = 100
)

// AddAudit appends to the audit log.
func (r records) AddAudit(ctx context.Context, e fleet.AuditEntry) error {
	kept(&e.At)
	e.ID = 0
	return r.append(ctx, "audit", e, keepAudit, e.Actor.Kind, e.Actor.Name, e.Actor.Addr, e.Action, e.Object, e.Detail, e.Result)
}

// Audit is a page of the audit log.
func (r records) Audit(ctx context.Context, p control.Page) ([]fleet.AuditEntry, error) {
	return history(ctx, r, "audit", p, func(e *fleet.AuditEntry, id int64) { e.ID = id })
}

// AddBoot appends to the records of boots.
func (r records) AddBoot(ctx context.Context, b fleet.BootRecord, keep int) error {
	kept(&b.At)
	b.ID = 0
	return r.append(ctx, "boot_records", b, keep, b.MAC, b.UUID, b.Addr, b.Arch, b.Protocol, b.Asked, b.Offered, b.Why, b.Machine)
}

// BootRecords are a page of the records of boots.
func (r records) BootRecords(ctx context.Context, p control.Page) ([]fleet.BootRecord, error) {
	return history(ctx, r, "boot_records", p, func(b *fleet.BootRecord, id int64) { b.ID = id })
}

// append adds an entry to a table of history, and forgets those that are keep older.
func (r records) append(ctx context.Context, table string, entry any, keep int, searched ...string) error {
	data, err := encode(entry)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		id, err := count(ctx, q, `INSERT INTO `+table+` (search, data) VALUES (?, ?) RETURNING id`, strings.ToLower(strings.Join(searched, "\n")), data)
		if err != nil {
			return err
		}
		_, err = q.exec(ctx, `DELETE FROM `+table+` WHERE id <= ?`, int64(id-max(keep, 1)))
		return err
	})
}

// history is a page of a table of history.
func history[T any](ctx context.Context, r records, table string, p control.Page, number func(*T, int64)) ([]T, error) {
	w := &where{}
	if p.Before > 0 {
		w.add(`id < ?`, p.Before)
	}
	if p.Match != "" {
		w.add(r.pool.contains(`search`), strings.ToLower(p.Match))
	}
	limit := p.Limit
	if limit <= 0 {
		limit = pageDefault
	}
	return list(ctx, r.reader(), func(row scanner) (entry T, err error) {
		var id int64
		err = scanDocument(row, &entry, &id)
		number(&entry, id)
		return entry, err
	}, `SELECT data, id FROM `+table+w.String()+` ORDER BY id DESC`+pageOf(0, limit), w.args...)
}
