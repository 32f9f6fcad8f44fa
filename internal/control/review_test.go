package control_test

import (
	"errors"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Who may look learns nothing by which they could say hello as an approved machine.
func TestViewerIsNoMachine(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	s.submit(deploy(a))
	a.next()
	m, err := s.Machine(t.Context(), viewer(), a.machine)
	s.must(err)
	j, err := s.Job(t.Context(), viewer(), a.job.ID)
	s.must(err)
	s.wait(time.Hour)
	for _, boot := range []string{m.Boot, j.Boot} {
		w, err := s.Hello(t.Context(), wire.Hello{Protocol: wire.Version, Boot: boot, Inventory: inventory(0)}, "192.0.2.66")
		if err == nil && w.State == wire.Approved {
			t.Errorf("the boot %q that a viewer sees lets them in as %s", boot, w.Name)
		}
	}
}

// A job says what disk it was made for, though that has no serial number.
func TestJobKnowsItsDisk(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	s.submit(deploy(a))
	if job := a.next().Job; job == nil || job.Disk != "WD000000" || job.DiskSize != 512e9 {
		t.Errorf("%+v", job)
	}
}

// An agent that crashed and was started again is heard, though it counts its reports
// from one.
func TestCrashedAgentIsHeard(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	s.submit(deploy(a))
	a.next()
	for range 5 {
		a.report("deploy")
	}
	_, err := a.hello("")
	s.must(err)
	if a.next().Job.Attempt != 1 {
		t.Fatal("another attempt")
	}
	_, err = s.Report(t.Context(), a.session, a.job.ID, wire.Report{Attempt: 1, Seq: 1, Progress: wire.Progress{Phase: "planning"}, Log: []wire.LogLine{{Text: "again"}}})
	s.must(err)
	log, err := s.JobLog(t.Context(), viewer(), a.job.ID, 0)
	s.must(err)
	j, err := s.Job(t.Context(), viewer(), a.job.ID)
	s.must(err)
	if len(log) != 1 || j.Progress.Phase != "planning" {
		t.Errorf("%v, %+v", log, j.Progress)
	}
}

// Who knows what is on a machine's label does not end what it works on: a start
// without the server's secret waits until the machine was silent.
func TestStickDoesNotTakeOver(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	s.submit(deploy(a))
	a.next()
	label := wire.Hello{Protocol: wire.Version, Boot: "stick-00001", Inventory: inventory(0)}
	label.Inventory.NICs, label.Inventory.MACs, label.Inventory.UUID = nil, nil, "4c4c4544-0035-5810-804b-ffffffffffff"
	var conflict *control.ConflictError
	if _, err := s.Hello(t.Context(), label, "192.0.2.66"); !errors.As(err, &conflict) {
		t.Errorf("%v", err)
	}
	if reply := a.report("deploy"); reply.Lost {
		t.Errorf("%+v", reply)
	}
	before, err := s.Machine(t.Context(), viewer(), a.machine)
	s.must(err)
	s.wait(fleet.OnlineFor + time.Second)
	w, err := s.Hello(t.Context(), label, "192.0.2.66")
	s.must(err)
	m, err := s.Machine(t.Context(), viewer(), a.machine)
	s.must(err)
	if w.Machine != a.machine || w.State != wire.Pending || m.Identity.UUID != before.Identity.UUID || len(m.Identity.MACs) == 0 {
		t.Errorf("%+v %+v", w, m.Identity)
	}
}

// Done is what ended with code 0, and a disk that is whole: nothing else is shown so.
func TestDoneIsWhole(t *testing.T) {
	s := newServer(t)
	agents := s.approved(3)
	b := s.submit(deploy(agents...))
	for i, r := range []wire.Result{
		{Outcome: wire.Done},
		{Outcome: wire.Done, Target: wire.Complete, Exit: 6},
		{Outcome: wire.Done, Target: wire.Unfinished},
	} {
		agents[i].next()
		agents[i].finish(r)
	}
	s.wantState(b.ID, fleet.Failed, fleet.Failed, fleet.Failed)
}

// An order of the past is not carried out on a machine that has been done since.
func TestRetryOnlyOnce(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	a.next()
	a.finish(wire.Result{Outcome: wire.Failed, Exit: 1, Error: "no"})
	s.wait(time.Minute)
	again, err := s.Retry(t.Context(), operator(), b.ID)
	s.must(err)
	var conflict *control.ConflictError
	if _, err := s.Retry(t.Context(), operator(), b.ID); !errors.As(err, &conflict) {
		t.Errorf("a second click makes a second job: %v", err)
	}
	a.next()
	a.finish(done())
	s.wantState(again.ID, fleet.Done)
	s.wait(30 * 24 * time.Hour)
	if _, err := s.Retry(t.Context(), operator(), b.ID); !errors.As(err, &conflict) {
		t.Errorf("a machine is overwritten that was done since: %v", err)
	}
}
