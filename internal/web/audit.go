package web

import (
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const auditPerPage = 100

// auditBody is who did what.
type auditBody struct {
	Match string
	Rows  []auditRow
	Older string
}

type auditRow struct {
	At                     moment
	Who, Kind, Addr        string
	Action, Object, Detail string
	Refused                string // why; "" when it was done
}

func newAuditRow(e fleet.AuditEntry, now time.Time) auditRow {
	row := auditRow{At: moment{e.At, now}, Who: e.Actor.Name, Kind: e.Actor.Kind, Addr: e.Actor.Addr, Action: e.Action, Object: e.Object, Detail: e.Detail}
	if e.Result != "ok" {
		row.Refused = e.Result
	}
	return row
}

func showAudit(v *visit) error {
	match := v.field("q")
	entries, err := v.ctl.Audit(v.r.Context(), v.actor, control.Page{Before: v.before(), Limit: auditPerPage, Match: match})
	if err != nil {
		return err
	}
	body := auditBody{Match: match}
	for _, e := range entries {
		body.Rows = append(body.Rows, newAuditRow(e, v.now))
	}
	if len(entries) == auditPerPage {
		body.Older = older("/audit", match, entries[len(entries)-1].ID)
	}
	return v.render(http.StatusOK, "audit", page{Title: "Audit log", Nav: "audit", Wide: true, Body: body})
}
