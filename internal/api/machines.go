package api

import (
	"context"
	"net/http"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// machinesQuery chooses machines.
type machinesQuery struct {
	Search string     `query:"search" maxLength:"200" doc:"a part, in any case, of name, host name, maker, model, serial number, asset tag, MAC, address or notes"`
	State  wire.State `query:"state"`
	Group  string     `query:"group" maxLength:"128"`
	Maker  string     `query:"maker" maxLength:"128" doc:"whole"`
	Online string     `query:"online" enum:"true,false" doc:"whether the agent is there; left out: both"`
	Sort   string     `query:"sort" enum:"name,state,maker,model,serial,addr,seen,first,-name,-state,-maker,-model,-serial,-addr,-seen,-first" doc:"with - before it the other way round"`
	Offset int        `query:"offset" minimum:"0" maximum:"1000000"`
	Limit  int        `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}

func (q *machinesQuery) filter() control.MachineFilter {
	f := control.MachineFilter{Search: q.Search, State: q.State, Group: q.Group, Maker: q.Maker, Sort: q.Sort, Offset: q.Offset, Limit: q.Limit}
	if q.Online != "" {
		online := q.Online == "true"
		f.Online = &online
	}
	return f
}

// MachinePath names a machine in a path. Types such as this one are exported for huma,
// which looks into no others.
type MachinePath struct {
	Machine string `path:"machine" maxLength:"300" doc:"ID or name"`
}

type machineBody[T any] struct {
	MachinePath
	Body T
}

func addMachines(b builder) {
	ctl := b.api.Control
	ask(b, operation{id: "listMachines", request: "GET /machines", tag: tagMachines, role: fleet.Viewer, summary: "a page of machines"},
		func(ctx context.Context, actor fleet.Actor, in *machinesQuery) (message.List[message.Machine], error) {
			all, total, err := ctl.Machines(ctx, actor, in.filter())
			list := message.List[message.Machine]{Items: []message.Machine{}, Total: total}
			for _, m := range all {
				list.Items = append(list.Items, b.api.machine(m))
			}
			return list, err
		})
	ask(b, operation{id: "getMachine", request: "GET /machines/{machine}", tag: tagMachines, role: fleet.Viewer, summary: "a machine with its inventory"},
		func(ctx context.Context, actor fleet.Actor, in *MachinePath) (message.Machine, error) {
			m, err := ctl.Machine(ctx, actor, in.Machine)
			return b.api.machine(m), err
		})
	addMachineActions(b)
	addMachineChanges(b)
	ask(b, operation{
		id: "importMachines", request: "POST /machines/import", tag: tagMachines, role: fleet.Operator, body: "text/csv",
		errors: []int{http.StatusConflict}, summary: "make machines known, and approve them, from a table",
		about: "The first line names the columns: at least one of serial, mac, uuid and asset; then maker, name, group, hostname; any other column is a value for placeholders of profiles. Lines with problems are left out, and told.",
	}, func(ctx context.Context, actor fleet.Actor, in *Upload) (control.ImportReport, error) {
		return ctl.ImportMachines(ctx, actor, in.body(maxTable))
	})
}

func (a *API) machine(m fleet.Machine) message.Machine {
	return message.Machine{Machine: m, Online: m.Online(a.Clock())}
}

// addMachineActions adds what can be done with several machines at once.
func addMachineActions(b builder) {
	ctl := b.api.Control
	act(b, operation{
		id: "approveMachines", request: "POST /machines/approve", tag: tagMachines, role: fleet.Operator,
		errors: []int{http.StatusNotFound, http.StatusConflict}, summary: "let machines have jobs",
	}, func(ctx context.Context, actor fleet.Actor, in *struct{ Body message.Approve }) error {
		ids, err := b.ids(ctx, actor, in.Body.Machines)
		if err != nil {
			return err
		}
		names := map[string]string{}
		for i, m := range in.Body.Machines {
			if name, ok := in.Body.Names[m]; ok {
				names[ids[i]] = name
			}
		}
		return ctl.Approve(ctx, actor, ids, names)
	})
	for _, o := range []struct {
		id, path, summary string
		do                func(ctx context.Context, actor fleet.Actor, ids []string) error
	}{
		{"rejectMachines", "reject", "keep machines from having jobs, until somebody approves them", ctl.Reject},
		{"forgetMachines", "forget", "remove machines; one that starts again is a new one", ctl.Forget},
		{"wakeMachines", "wake", "wake machines by wake-on-LAN", ctl.Wake},
	} {
		act(b, operation{
			id: o.id, request: "POST /machines/" + o.path, tag: tagMachines, role: fleet.Operator,
			errors: []int{http.StatusNotFound, http.StatusConflict}, summary: o.summary,
		}, func(ctx context.Context, actor fleet.Actor, in *struct{ Body message.Machines }) error {
			ids, err := b.ids(ctx, actor, in.Body.Machines)
			if err != nil {
				return err
			}
			return o.do(ctx, actor, ids)
		})
	}
}

// addMachineChanges adds what can be changed of one machine.
func addMachineChanges(b builder) {
	ctl := b.api.Control
	change := func(id, what, summary string) operation {
		return operation{
			id: id, request: "PUT /machines/{machine}/" + what, tag: tagMachines, role: fleet.Operator,
			errors: []int{http.StatusConflict}, summary: summary,
		}
	}
	act(b, change("renameMachine", "name", "give a machine another name"),
		func(ctx context.Context, actor fleet.Actor, in *machineBody[message.Name]) error {
			return b.withMachine(ctx, actor, in.Machine, func(id string) error { return ctl.Rename(ctx, actor, id, in.Body.Name) })
		})
	act(b, change("setMachineHostname", "hostname", "set the host name that deploys give a machine"),
		func(ctx context.Context, actor fleet.Actor, in *machineBody[message.Hostname]) error {
			return b.withMachine(ctx, actor, in.Machine, func(id string) error { return ctl.SetHostname(ctx, actor, id, in.Body.Hostname) })
		})
	act(b, change("setMachineValues", "values", "replace a machine's values for placeholders of profiles"),
		func(ctx context.Context, actor fleet.Actor, in *machineBody[message.Values]) error {
			return b.withMachine(ctx, actor, in.Machine, func(id string) error { return ctl.SetValues(ctx, actor, id, in.Body.Values) })
		})
	act(b, change("setMachineNotes", "notes", "replace what people wrote about a machine"),
		func(ctx context.Context, actor fleet.Actor, in *machineBody[message.Notes]) error {
			return b.withMachine(ctx, actor, in.Machine, func(id string) error { return ctl.SetNotes(ctx, actor, id, in.Body.Notes) })
		})
}
