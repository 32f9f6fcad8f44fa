package web

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const bootsPerPage = 100

// bootsBody is who asked for what on the way to the agent.
type bootsBody struct {
	Match string
	Rows  []bootRow
	Older string // URL; "" where there is nothing older
}

// bootRow is one thing that a machine asked for.
type bootRow struct {
	ID             int64
	At             moment
	MAC, Addr      string
	Machine        string // its ID, "" when it is not known
	Arch, Protocol string
	Asked, Offered string
	Why            string
	Nothing        bool // was offered
}

func newBootRows(records []fleet.BootRecord, now time.Time) []bootRow {
	var rows []bootRow
	for _, b := range records {
		rows = append(rows, bootRow{ID: b.ID, At: moment{b.At, now}, MAC: b.MAC, Addr: b.Addr, Machine: b.Machine, Arch: b.Arch,
			Protocol: b.Protocol, Asked: b.Asked, Offered: b.Offered, Why: b.Why, Nothing: b.Offered == "" || b.Offered == "nothing"})
	}
	return rows
}

func (r reader) boots(match string, before int64) (bootsBody, error) {
	records, err := r.ctl.BootRecords(r.ctx, r.actor, control.Page{Before: before, Limit: bootsPerPage, Match: match})
	body := bootsBody{Match: match, Rows: newBootRows(records, r.now)}
	if len(records) == bootsPerPage {
		body.Older = older("/boots", match, records[len(records)-1].ID)
	}
	return body, err
}

// older is where a list of history goes on.
func older(path, match string, before int64) string {
	q := url.Values{"before": {fmt.Sprint(before)}}
	if match != "" {
		q.Set("q", match)
	}
	return path + "?" + q.Encode()
}

func (b bootsBody) parts() []livePart {
	return []livePart{{ID: "boot-list", Template: "boot-list", Data: b}}
}

func showBoots(v *visit) error {
	body, err := v.reader().boots(v.field("q"), v.before())
	if err != nil {
		return err
	}
	p := page{Title: "Boot status", Nav: "boots", Wide: true, Body: body}
	if v.before() == 0 { // what is older does not change
		p.Live = "/events" + v.r.URL.RequestURI()
	}
	return v.render(http.StatusOK, "boots", p)
}

func bootsLive(v *visit) func(reader) (liveBody, error) {
	match := v.field("q")
	return func(r reader) (liveBody, error) { return r.boots(match, 0) }
}
