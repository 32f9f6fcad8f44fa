package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestHello(t *testing.T) {
	s := newServer(t)
	a := s.agent(1).start()
	m, err := s.Machine(t.Context(), viewer(), a.machine)
	s.must(err)
	if m.State != wire.Pending || m.Name != "optiplex-7090-5xk2r001" || !m.Online(s.clock()) {
		t.Errorf("%+v", m)
	}
	if order := a.next(); order.State != wire.Pending || order.Job != nil {
		t.Errorf("%+v", order)
	}
	if b, err := s.Submit(t.Context(), operator(), deploy(a)); err == nil {
		t.Errorf("a machine that waits gets work: %+v", b)
	}
	s.must(s.Approve(t.Context(), admin(), []string{a.machine}, map[string]string{a.machine: "lab-01"}))
	if order := a.next(); order.State != wire.Approved || order.Name != "lab-01" {
		t.Errorf("%+v", order)
	}
	if again := s.agent(1).start(); again.machine != a.machine {
		t.Error("the same machine is another one")
	}
	if other := s.agent(2).start(); other.machine == a.machine {
		t.Error("another machine is the same")
	}
}

func TestEnrolSecrets(t *testing.T) {
	s := newServer(t)
	a := s.agent(1)
	a.boot = "boot-00001"
	secret, err := s.EnrolSecret(t.Context(), inventory(1).MACs[0])
	s.must(err)
	other := s.agent(2)
	other.boot = "boot-00002"
	if _, err := other.hello(secret); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("another machine's secret: %v", err)
	}
	if _, err := a.hello("guess"); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("a guess: %v", err)
	}
	if _, err := a.hello(secret); err != nil {
		t.Error(err)
	}
	thief := s.agent(1)
	thief.boot = "boot-99999"
	if _, err := thief.hello(secret); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("another boot with the same secret: %v", err)
	}
	s.wait(time.Hour)
	if _, err := a.hello(secret); err != nil {
		t.Errorf("the boot that used it: %v", err)
	}
	late, err := s.EnrolSecret(t.Context(), inventory(3).MACs[0])
	s.must(err)
	s.wait(control.EnrolFor)
	b := s.agent(3)
	b.boot = "boot-00003"
	if _, err := b.hello(late); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("an expired secret: %v", err)
	}
	stats, err := s.Stats(t.Context())
	s.must(err)
	if stats.Refused["enrol-secret"] != 4 {
		t.Errorf("%v", stats.Refused)
	}
}

func TestSticks(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	s.wait(fleet.OnlineFor)
	a.boot = "stick-00001"
	if w, err := a.hello(""); err != nil || w.State != wire.Pending || w.Machine != a.machine {
		t.Fatalf("%+v %v", w, err)
	}
	if order := a.next(); order.Job != nil || order.State != wire.Pending {
		t.Fatalf("%+v", order)
	}
	s.must(s.Approve(t.Context(), admin(), []string{a.machine}, nil))
	if w, err := a.hello(""); err != nil || w.State != wire.Approved {
		t.Fatalf("the approved start must be approved again: %+v %v", w, err)
	}
	s.wait(fleet.OnlineFor)
	a.boot = "stick-00002"
	if w, err := a.hello(""); err != nil || w.State != wire.Pending {
		t.Fatalf("the next start of a stick is approved already: %+v %v", w, err)
	}
	s.must(s.SetSettings(t.Context(), admin(), control.Settings{Sticks: control.SticksApproved, Pending: 100}))
	a.boot = "stick-00003"
	if w, err := a.hello(""); err != nil || w.State != wire.Approved {
		t.Fatalf("%+v %v", w, err)
	}
	if a.next().Job == nil {
		t.Error("no work")
	}
	s.must(s.SetSettings(t.Context(), admin(), control.Settings{Sticks: control.SticksRefused, Pending: 100}))
	a.boot = "stick-00004"
	var forbidden *control.ForbiddenError
	if _, err := a.hello(""); !errors.As(err, &forbidden) {
		t.Error(err)
	}
	s.wantState(b.ID, fleet.Running)
}

func TestTwoMachinesWithOneIdentity(t *testing.T) {
	s := newServer(t)
	s.must(s.SetSettings(t.Context(), admin(), control.Settings{Sticks: control.SticksApproved, Pending: 100}))
	a, clone := s.approved(1)[0], s.agent(0)
	first := a.boot
	clone.boot = "clone-00001"
	if w, err := clone.hello(""); err != nil || w.Machine != a.machine {
		t.Fatalf("%+v %v", w, err)
	}
	var conflict *control.ConflictError
	a.boot = first
	if _, err := a.hello(""); !errors.As(err, &conflict) {
		t.Errorf("two machines take turns: %v", err)
	}
}

func TestConflictingIdentity(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	hello := wire.Hello{Protocol: wire.Version, Boot: "other-00001", Inventory: inventory(50)}
	hello.Inventory.UUID = inventory(0).UUID // copied
	w, err := s.Hello(t.Context(), hello, "192.0.2.7")
	s.must(err)
	if w.Machine == a.machine || w.State != wire.Pending {
		t.Fatalf("%+v", w)
	}
	if m, _ := s.Machine(t.Context(), viewer(), w.Machine); len(m.Conflicts) == 0 {
		t.Error("nobody is told")
	}
	_, err = s.AddRule(t.Context(), admin(), fleet.Rule{Name: "dell", Field: "maker", Match: "Dell*"})
	s.must(err)
	if m, _ := s.Machine(t.Context(), viewer(), w.Machine); m.State != wire.Pending {
		t.Error("a rule approved a machine that claims another one's UUID")
	}
}

func TestRulesAndLists(t *testing.T) {
	s := newServer(t)
	early := s.agent(1).start()
	s.must(s.AddGroup(t.Context(), operator(), "lab", ""))
	_, err := s.AddRule(t.Context(), admin(), fleet.Rule{Name: "dell", Field: "serial", Match: "5XK2R00?", Group: "lab"})
	s.must(err)
	late := s.agent(2).start()
	for _, a := range []*agent{early, late} {
		if m, _ := s.Machine(t.Context(), viewer(), a.machine); m.State != wire.Approved || m.Why != "rule 'dell'" || len(m.Groups) != 1 {
			t.Errorf("%s %q %v", m.State, m.Why, m.Groups)
		}
	}
	report, err := s.ImportMachines(t.Context(), operator(), strings.NewReader("serial,name,hostname,room\n5XK2R100,lab-100,lab100,A1\n5XK2R001,lab-001,,A2\n5XK2R200,lab-100,,\n,,,x\n"))
	s.must(err)
	if report.Added != 1 || report.Updated != 1 || len(report.Problems) != 2 {
		t.Errorf("%+v", report)
	}
	if agent, why, _, _ := s.ChooseBoot(t.Context(), inventory(100).MACs[0], ""); !agent {
		t.Errorf("%q", why)
	}
	a := s.agent(100).start()
	m, err := s.Machine(t.Context(), viewer(), "LAB-100")
	s.must(err)
	if m.ID != a.machine || m.Expected || m.State != wire.Approved || m.Values["room"] != "A1" || m.Hostname != "lab100" {
		t.Errorf("%+v", m)
	}
}

func TestHostileAgents(t *testing.T) {
	s := newServer(t)
	s.must(s.SetSettings(t.Context(), admin(), control.Settings{Sticks: control.SticksPending, Pending: 10}))
	for n := range 30 {
		hello := wire.Hello{Protocol: wire.Version, Boot: fmt.Sprintf("hostile-%05d", n), Inventory: inventory(1000 + n)}
		hello.Inventory.Model = strings.Repeat("\x1b[2J\u202e<script>", 10_000)
		for i := range 5000 {
			hello.Inventory.Disks = append(hello.Inventory.Disks, wire.Disk{Path: fmt.Sprint("/dev/", i), Size: math.MinInt64})
			hello.Inventory.Notes = append(hello.Inventory.Notes, strings.Repeat("x", 100))
		}
		_, err := s.Hello(t.Context(), hello, "192.0.2.66")
		s.must(err)
		s.wait(time.Second)
	}
	machines, total, err := s.Machines(t.Context(), viewer(), control.MachineFilter{})
	s.must(err)
	if total != 10 {
		t.Errorf("%d machines wait", total)
	}
	for _, m := range machines {
		text, err := json.Marshal(m)
		s.must(err)
		if len(text) > 64<<10 || strings.Contains(string(text), "u202e") || strings.Contains(string(text), "u001b") {
			t.Fatalf("%d bytes are kept: %.300s", len(text), text)
		}
	}
	for _, hello := range []wire.Hello{{Protocol: 2, Boot: "boot-00001"}, {Protocol: wire.Version, Boot: "a b"}, {Protocol: wire.Version}} {
		var invalid *control.InvalidError
		if _, err := s.Hello(t.Context(), hello, ""); !errors.As(err, &invalid) {
			t.Errorf("%+v: %v", hello, err)
		}
	}
}

func TestHostileReports(t *testing.T) {
	s := newServer(t)
	agents := s.approved(2)
	b := s.submit(deploy(agents...))
	agents[0].next()
	agents[1].next()
	ctx := t.Context()
	var forbidden *control.ForbiddenError
	if _, err := s.Report(ctx, agents[1].session, agents[0].job.ID, wire.Report{Attempt: 1, Seq: 1}); !errors.As(err, &forbidden) {
		t.Errorf("another machine's job: %v", err)
	}
	if _, err := s.Finish(ctx, agents[1].session, agents[0].job.ID, done()); !errors.As(err, &forbidden) {
		t.Errorf("another machine's job: %v", err)
	}
	if _, err := s.JobProfile(ctx, agents[1].session, agents[0].job.ID); !errors.As(err, &forbidden) {
		t.Errorf("another machine's profile: %v", err)
	}
	if _, err := s.Report(ctx, "guess", agents[0].job.ID, wire.Report{}); !errors.Is(err, control.ErrUnauthenticated) {
		t.Error(err)
	}
	var log []wire.LogLine
	for range 5000 {
		log = append(log, wire.LogLine{Text: "\x1b[31m" + strings.Repeat("x", 5000)})
	}
	_, err := s.Report(ctx, agents[0].session, agents[0].job.ID, wire.Report{Attempt: 1, Seq: 1, Log: log, Progress: wire.Progress{Done: -5, Total: math.MaxInt64, Left: -9, Phase: "a\nb"}})
	s.must(err)
	j, err := s.Job(ctx, viewer(), agents[0].job.ID)
	s.must(err)
	if j.Progress.Done != 0 || j.Progress.Left != -1 || j.Progress.Phase != "a b" {
		t.Errorf("%+v", j.Progress)
	}
	lines, err := s.JobLog(ctx, viewer(), j.ID, 0)
	s.must(err)
	if len(lines) != wire.MaxLog || len(lines[0].Text) > 1100 || strings.Contains(lines[0].Text, "\x1b") {
		t.Errorf("%d lines, %.50q", len(lines), lines[0].Text)
	}
	agents[0].finish(wire.Result{Outcome: wire.Done, Exit: 4, Detail: json.RawMessage(strings.Repeat("[", 1000)), Time: wire.Time{Total: math.Inf(1)}})
	agents[1].finish(wire.Result{Outcome: wire.Done, Target: wire.Unfinished})
	jobs := s.wantState(b.ID, fleet.Failed, fleet.Failed)
	if jobs[0].Result.Detail != nil || jobs[0].Result.Time.Total != 0 || jobs[0].Why == "" {
		t.Errorf("%+v", jobs[0].Result)
	}
}

func TestObjects(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	spec := deploy(a)
	spec.Rate = 1e6
	s.submit(spec)
	a.next()
	grant, err := s.Objects(t.Context(), a.job.Token)
	if err != nil || grant.Image != strings.Repeat("ab", 32) || grant.Write || grant.Rate == nil {
		t.Errorf("%+v %v", grant, err)
	}
	refused := func(why, token string) {
		t.Helper()
		if _, err := s.Objects(t.Context(), token); !errors.Is(err, control.ErrUnauthenticated) {
			t.Errorf("%s: %v", why, err)
		}
	}
	refused("a guess", "job_"+a.job.ID+"_guess")
	refused("nothing", "")
	refused("another job", strings.Replace(a.job.Token, a.job.ID, "j-other", 1))
	s.wait(2 * wire.Lease)
	if _, err := s.Objects(t.Context(), a.job.Token); !errors.Is(err, control.ErrLeaseEnded) {
		t.Errorf("an ended lease: %v", err)
	}
	s.tick(time.Second)
	if _, err := s.Objects(t.Context(), a.job.Token); !errors.Is(err, control.ErrLeaseEnded) {
		t.Errorf("a job that was lost: %v", err)
	}
	a.report("deploy")
	if _, err := s.Objects(t.Context(), a.job.Token); err != nil {
		t.Errorf("after a report: %v", err)
	}
	s.must(s.Reject(t.Context(), operator(), []string{a.machine}))
	refused("a rejected machine", a.job.Token)
	a.finish(wire.Result{Outcome: wire.Cancelled})
	refused("a job that ended", a.job.Token)
	if stats, _ := s.Stats(t.Context()); stats.Refused["job-token"] != 7 {
		t.Errorf("%v", stats.Refused)
	}
}

// TestSilentStarts: a machine on which the agent dies before it can speak starts its
// own disk in the end.
func TestSilentStarts(t *testing.T) {
	s := newServer(t)
	mac := inventory(1).MACs[0]
	starts := 0
	for range 60 {
		agent, _, _, err := s.ChooseBoot(t.Context(), mac, "")
		s.must(err)
		if agent {
			starts++
			_, err := s.EnrolSecret(t.Context(), mac)
			s.must(err)
		}
		s.wait(50 * time.Second)
	}
	if starts != 9 { // two fall into one minute
		t.Errorf("the agent was started %d times", starts)
	}
}
