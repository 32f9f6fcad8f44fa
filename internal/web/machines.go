package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

const machinesPerPage = 50

// machinesBody is the list of machines.
type machinesBody struct {
	CSRF     string
	Operator bool
	Filter   machinesFilter
	Groups   []fleet.Group
	Columns  []column
	Rows     []machineRow
	Total    int
	Any      bool // there are machines, whatever the filter
	Pager    *pager
	Here     string // this page, to come back to
}

// machinesFilter is what the list's form asks for.
type machinesFilter struct {
	Search, State, Group, Online, Sort string
	Offset                             int
}

// column is a head of the list that sorts it.
type column struct {
	Text, Path string
	Sorted     string // "ascending", "descending" or ""
	Number     bool
}

func (v *visit) machinesFilter() machinesFilter {
	return machinesFilter{Search: v.field("q"), State: v.field("state"), Group: v.field("group"), Online: v.field("online"), Sort: v.field("sort"), Offset: v.offset()}
}

// query is the filter as a query, without where in the list it is.
func (f machinesFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Search, "state": f.State, "group": f.Group, "online": f.Online, "sort": f.Sort} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// Empty reports whether the filter lets all machines through.
func (f machinesFilter) Empty() bool { return f.Search+f.State+f.Group+f.Online == "" }

func (f machinesFilter) control() control.MachineFilter {
	filter := control.MachineFilter{Search: f.Search, State: wire.State(f.State), Group: f.Group, Sort: f.Sort, Offset: f.Offset, Limit: machinesPerPage}
	if f.Online != "" {
		online := f.Online == "yes"
		filter.Online = &online
	}
	return filter
}

func (r reader) machines(f machinesFilter) (machinesBody, error) {
	body := machinesBody{Operator: r.actor.Role.May(fleet.Operator), Filter: f, Columns: machineColumns(f)}
	machines, total, err := r.ctl.Machines(r.ctx, r.actor, f.control())
	if err != nil {
		return body, err
	}
	for _, m := range machines {
		body.Rows = append(body.Rows, newMachineRow(m, r.now))
	}
	body.Total, body.Any = total, total > 0 || !f.Empty()
	body.Pager = newPager("/machines", f.query(), f.Offset, machinesPerPage, len(machines), total)
	body.Groups, err = r.ctl.Groups(r.ctx, r.actor)
	return body, err
}

func machineColumns(f machinesFilter) []column {
	var all []column
	for _, c := range []struct{ text, sort string }{{"Name", "name"}, {"State", "state"}, {"Model", "model"}, {"Serial", "serial"}, {"Groups", ""}, {"Disks", ""}, {"Seen", "seen"}} {
		one := column{Text: c.text}
		if c.sort != "" {
			next := f
			next.Sort = c.sort
			switch {
			case f.Sort == c.sort, f.Sort == "" && c.sort == "name":
				next.Sort, one.Sorted = "-"+c.sort, "ascending"
			case f.Sort == "-"+c.sort:
				one.Sorted = "descending"
			}
			one.Path = "/machines?" + next.query().Encode()
		}
		all = append(all, one)
	}
	return all
}

func (b machinesBody) parts() []livePart {
	rows := []livePart{}
	for _, row := range b.Rows {
		rows = append(rows, livePart{ID: "machine-" + row.ID, Template: "machine-row", Data: row})
	}
	// A row has a box to check only where there is something to do with it.
	if b.Operator {
		for i := range rows {
			rows[i].Template = "machine-row-check"
		}
	}
	return []livePart{{ID: "machines", Template: "machine-rows", Data: b, Rows: rows}}
}

func showMachines(v *visit) error {
	body, err := v.reader().machines(v.machinesFilter())
	if err != nil {
		return err
	}
	body.CSRF, body.Here = v.csrf, v.r.URL.RequestURI()
	return v.render(http.StatusOK, "machines", page{Title: "Machines", Nav: "machines", Wide: true, Live: "/events" + v.r.URL.RequestURI(), Body: body})
}

func machinesLive(v *visit) func(reader) (liveBody, error) {
	filter := v.machinesFilter()
	return func(r reader) (liveBody, error) { return r.machines(filter) }
}

// doMachines does what was chosen with the machines that were checked: at once what
// loses nothing, on a page of its own what should be looked at first.
func doMachines(v *visit) error {
	ids, back := v.fields("m"), v.back("/machines")
	if len(ids) == 0 {
		return v.redirect(back, "Nothing was done: no machine was selected.")
	}
	n := counted(len(ids), "machine", "machines")
	chosen := url.Values{"m": ids}.Encode()
	ctx := v.r.Context()
	do := v.field("do")
	if do == "more" {
		do = v.field("more")
	}
	switch do {
	case "approve":
		if err := v.ctl.Approve(ctx, v.actor, ids, nil); err != nil {
			return err
		}
		return v.redirect(back, "Approved %s.", n)
	case "reject":
		if err := v.ctl.Reject(ctx, v.actor, ids); err != nil {
			return err
		}
		return v.redirect(back, "Rejected %s. They get no work until somebody approves them.", n)
	case "wake":
		if err := v.ctl.Wake(ctx, v.actor, ids); err != nil {
			return err
		}
		return v.redirect(back, "Sent wake-on-LAN to %s. They appear as online when they have started.", n)
	case "join", "forget":
		return v.redirect("/machines/"+do+"?"+chosen, "")
	case "deploy":
		return v.redirect("/deploy?"+chosen, "")
	default:
		if kind, ok := strings.CutPrefix(do, "work-"); ok {
			return v.redirect("/work/"+url.PathEscape(kind)+"?"+chosen, "")
		}
	}
	return &control.InvalidError{Field: "do", Message: "choose what to do with " + strconv.Itoa(len(ids)) + " machines"}
}
