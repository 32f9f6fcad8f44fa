package web

import (
	"net/http"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// How much of each list the overview shows; the rest is a click away.
const (
	overviewJobs     = 20
	overviewMachines = 8
	overviewFailures = 6
)

// overviewBody is what matters now.
type overviewBody struct {
	Operator bool
	Figures  figures
	Steps    *firstSteps // nil once something was deployed or captured
	Running  []jobRow
	More     int // running jobs that are not shown
	Waiting  []machineRow
	Failures []jobRow
	Done     []jobRow // only while nothing runs
}

// figures are the numbers on top.
type figures struct {
	Machines, Online, Pending int
	Running, Queued           int
	Batches                   int
	Rate                      int64
}

// firstSteps are what is to be done before there is something to see.
type firstSteps struct{ Seen, Approved, Image, Deployed bool }

func (r reader) overview() (liveBody, error) {
	stats, err := r.ctl.Stats(r.ctx)
	if err != nil {
		return nil, err
	}
	body := overviewBody{Operator: r.actor.Role.May(fleet.Operator), Figures: newFigures(stats)}
	if body.Steps, err = r.firstSteps(stats); err != nil {
		return nil, err
	}
	running, total, err := r.jobs(control.JobFilter{States: []fleet.JobState{fleet.Running, fleet.Stopping}, Limit: overviewJobs})
	if err != nil {
		return nil, err
	}
	body.Running, body.More = running, total-len(running)
	if len(running) == 0 {
		if body.Done, _, err = r.jobs(control.JobFilter{States: []fleet.JobState{fleet.Done}, Limit: overviewFailures}); err != nil {
			return nil, err
		}
	}
	if body.Failures, _, err = r.jobs(control.JobFilter{States: []fleet.JobState{fleet.Failed}, Limit: overviewFailures}); err != nil {
		return nil, err
	}
	waiting, _, err := r.ctl.Machines(r.ctx, r.actor, control.MachineFilter{State: wire.Pending, Sort: "-seen", Limit: overviewMachines})
	for _, m := range waiting {
		body.Waiting = append(body.Waiting, newMachineRow(m, r.now))
	}
	return body, err
}

func newFigures(s control.Stats) figures {
	f := figures{Online: s.Online, Pending: s.Machines[wire.Pending], Batches: s.Batches, Rate: s.Rate}
	for _, n := range s.Machines {
		f.Machines += n
	}
	f.Running = s.Jobs[fleet.Running] + s.Jobs[fleet.Stopping]
	f.Queued = s.Jobs[fleet.Queued] + s.Jobs[fleet.Scheduled]
	return f
}

// firstSteps are nil when the server has done something already.
func (r reader) firstSteps(s control.Stats) (*firstSteps, error) {
	if s.Jobs[fleet.Done] > 1 {
		return nil, nil
	}
	images, err := r.ctl.Images(r.ctx, r.actor)
	if err != nil {
		return nil, err
	}
	done, _, err := r.ctl.Jobs(r.ctx, r.actor, control.JobFilter{States: []fleet.JobState{fleet.Done}, Limit: 1})
	if err != nil {
		return nil, err
	}
	steps := &firstSteps{Approved: s.Machines[wire.Approved] > 0, Image: len(images) > 0}
	steps.Seen = newFigures(s).Machines > 0
	steps.Deployed = len(done) > 0 && done[0].Kind == wire.Deploy
	if steps.Deployed && steps.Image {
		return nil, nil
	}
	return steps, nil
}

func (b overviewBody) parts() []livePart {
	return []livePart{
		{ID: "figures", Template: "figures", Data: b.Figures},
		{ID: "steps", Template: "steps", Data: b},
		{ID: "running", Template: "running", Data: b},
		{ID: "waiting", Template: "waiting", Data: b},
		{ID: "failures", Template: "failures", Data: b},
	}
}

func showOverview(v *visit) error {
	body, err := v.reader().overview()
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "overview", page{Title: "Overview", Nav: "overview", Live: "/events/overview", Body: body})
}

func overviewLive(*visit) func(reader) (liveBody, error) { return reader.overview }
