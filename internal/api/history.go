package api

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

type pageQuery struct {
	Before int64  `query:"before" minimum:"0" doc:"only entries with a smaller ID; left out: from the newest on"`
	Match  string `query:"match" maxLength:"200" doc:"a part, in any case, of any text of the entry"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (q *pageQuery) page() control.Page {
	return control.Page{Before: q.Before, Limit: q.Limit, Match: q.Match}
}

func addHistory(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listAudit", request: "GET /audit", tag: tagHistory, role: fleet.Admin, summary: "what was done and by whom, newest first"},
		func(ctx context.Context, actor fleet.Actor, in *pageQuery) (message.Page[fleet.AuditEntry], error) {
			all, err := ctl.Audit(ctx, actor, in.page())
			return pageOf(all, in.Limit, func(e fleet.AuditEntry) int64 { return e.ID }), err
		})
	ask(b, operation{id: "listBoots", request: "GET /boots", tag: tagHistory, role: fleet.Viewer, summary: "what machines asked for on their way to the agent, and what they were offered, newest first"},
		func(ctx context.Context, actor fleet.Actor, in *pageQuery) (message.Page[fleet.BootRecord], error) {
			all, err := ctl.BootRecords(ctx, actor, in.page())
			return pageOf(all, in.Limit, func(r fleet.BootRecord) int64 { return r.ID }), err
		})
}

// pageOf is a page of limit entries at most. A full one is taken to have another one
// behind it.
func pageOf[T any](items []T, limit int, id func(T) int64) message.Page[T] {
	p := message.Page[T]{Items: append([]T{}, items...)}
	if len(items) > 0 && len(items) == limit {
		p.Next = id(items[len(items)-1])
	}
	return p
}
