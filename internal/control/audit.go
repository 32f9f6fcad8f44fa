package control

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// maxPage bounds a page of a list.
const maxPage = 1000

// Audit is a page of what was done, newest first.
func (c *Control) Audit(ctx context.Context, actor fleet.Actor, page Page) ([]fleet.AuditEntry, error) {
	if err := look(actor, fleet.Admin); err != nil {
		return nil, err
	}
	return c.records.Audit(ctx, page.bounded())
}

func (p Page) bounded() Page {
	if p.Limit <= 0 {
		p.Limit = 100
	}
	p.Limit = min(p.Limit, maxPage)
	p.Match = clean(p.Match, maxName)
	return p
}
