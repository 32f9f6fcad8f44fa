package control_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestDeploy(t *testing.T) {
	s := newServer(t)
	agents := s.approved(2)
	b := s.submit(deploy(agents...))
	if b.Spec.Image != "lab-pc:v3" || b.Spec.ImageID == "" || b.Counts[fleet.Queued] != 2 {
		t.Fatalf("%+v", b)
	}
	for _, a := range agents {
		order := a.next()
		if order.Job == nil || order.Job.Then != wire.Reboot || order.Job.Disk != inventory(a.n).Disks[0].Serial || order.Job.Deploy.Machines != 2 {
			t.Fatalf("%+v", order.Job)
		}
	}
	s.wantState(b.ID, fleet.Running, fleet.Running)
	if agents[0].report("deploy"); s.jobs(b.ID)[0].Progress.Phase != "deploy" {
		t.Error("progress is not seen")
	}
	for _, a := range agents {
		for range 2 { // the answer was lost
			if reply := a.finish(done()); reply != (wire.Reply{}) {
				t.Errorf("%+v", reply)
			}
		}
	}
	s.wantState(b.ID, fleet.Done, fleet.Done)
	if b, _, _ = s.Batch(t.Context(), viewer(), b.ID); b.Ended.IsZero() {
		t.Error("the batch has not ended")
	}
	agent, why, _, err := s.ChooseBoot(t.Context(), inventory(0).MACs[0], "")
	if err != nil || agent {
		t.Errorf("after a deploy the machine does not start its own disk: %s %v", why, err)
	}
	if reply := agents[0].report("deploy"); !reply.Lost {
		t.Error("a report of a job that ended is not lost")
	}
}

func TestNextIsAskedAgain(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	first, second := a.next().Job, a.next().Job
	if first == nil || second == nil || first.ID != second.ID || second.Attempt != 1 || first.Token == second.Token {
		t.Fatalf("%+v, then %+v", first, second)
	}
	if _, err := s.Objects(t.Context(), second.Token); err != nil {
		t.Error(err)
	}
	// An agent that never begins is lost in the end.
	for range 1000 {
		s.tick(time.Second)
		a.next()
		if s.jobs(b.ID)[0].State.Ended() {
			break
		}
	}
	if j := s.wantState(b.ID, fleet.Failed)[0]; j.Attempt != 3 || !strings.HasPrefix(j.Why, "lost: ") {
		t.Errorf("%+v", j)
	}
}

func TestLostAndFoundAgain(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	a.next()
	a.report("deploy")
	s.tick(wire.Lease + 20*time.Second)
	s.wantState(b.ID, fleet.Queued)
	if reply := a.report("deploy"); reply != (wire.Reply{}) {
		t.Fatalf("%+v", reply)
	}
	s.wantState(b.ID, fleet.Running)
	if reply := a.finish(done()); reply != (wire.Reply{}) {
		t.Fatalf("%+v", reply)
	}
	s.wantState(b.ID, fleet.Done)
}

func TestPowerCut(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	old := *a
	old.job = a.next().Job
	a.start()
	j := s.wantState(b.ID, fleet.Queued)[0]
	if !strings.Contains(j.Why, "started again") {
		t.Errorf("%q", j.Why)
	}
	if a.next().Job != nil {
		t.Error("it is tried again at once")
	}
	s.tick(fleet.Backoff(1))
	if job := a.next().Job; job == nil || job.Attempt != 2 {
		t.Fatalf("%+v", job)
	}
	if _, err := s.Report(t.Context(), old.session, old.job.ID, wire.Report{Attempt: 1, Seq: 9}); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("the old boot may still speak: %v", err)
	}
	if _, err := s.Objects(t.Context(), old.job.Token); !errors.Is(err, control.ErrUnauthenticated) {
		t.Errorf("the old boot's token is valid: %v", err)
	}
	if reply, err := s.Report(t.Context(), a.session, a.job.ID, wire.Report{Attempt: 1, Seq: 9}); err != nil || !reply.Lost {
		t.Errorf("a report of the old attempt: %+v %v", reply, err)
	}
	a.finish(done())
	s.wantState(b.ID, fleet.Done)
}

func TestServerRestart(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	a.next()
	a.report("deploy")
	s.wait(10 * time.Minute) // the server is down
	s.start()
	s.tick(30 * time.Second)
	s.wantState(b.ID, fleet.Running)
	if _, err := s.Objects(t.Context(), a.job.Token); err != nil {
		t.Errorf("the job's token did not survive: %v", err)
	}
	if reply := a.report("deploy"); reply != (wire.Reply{}) {
		t.Fatalf("%+v", reply)
	}
	s.tick(60 * time.Second)
	if j := s.wantState(b.ID, fleet.Running)[0]; j.Attempt != 1 || j.Progress.Done != 2 {
		t.Errorf("%+v", j)
	}
	if w, err := a.hello(""); err != nil || w.State != wire.Approved {
		t.Logf("%+v %v", w, err)
	}
	a.finish(done())
	s.wantState(b.ID, fleet.Done)
}

func TestSessionIsGone(t *testing.T) {
	s := newServer(t)
	a := s.agent(0)
	a.boot = "boot-00000-00001"
	secret, err := s.EnrolSecret(t.Context(), inventory(0).MACs[0])
	s.must(err)
	_, err = a.hello(secret)
	s.must(err)
	s.must(s.Approve(t.Context(), admin(), []string{a.machine}, nil))
	b := s.submit(deploy(a))
	a.next()
	s.wait(time.Minute)
	if w, err := a.hello(secret); err != nil || w.Machine != a.machine {
		t.Fatalf("%+v %v", w, err)
	}
	if reply := a.report("deploy"); reply != (wire.Reply{}) {
		t.Fatalf("%+v", reply)
	}
	s.wantState(b.ID, fleet.Running)
}

func TestCancel(t *testing.T) {
	s := newServer(t)
	agents := s.approved(3)
	b := s.submit(deploy(agents...))
	agents[0].next()
	agents[1].next()
	agents[1].report("deploy")
	s.must(s.Cancel(t.Context(), operator(), b.ID))
	s.wantState(b.ID, fleet.Stopping, fleet.Stopping, fleet.Cancelled)
	if reply := agents[0].report("deploy"); !reply.Stop || reply.Why != "cancelled by otto" {
		t.Errorf("%+v", reply)
	}
	agents[0].finish(wire.Result{Outcome: wire.Cancelled, Target: wire.Unfinished})
	s.tick(wire.Lease + 30*time.Second)
	jobs := s.wantState(b.ID, fleet.Cancelled, fleet.Cancelled, fleet.Cancelled)
	for i, want := range []wire.TargetState{wire.Unfinished, wire.Unfinished, wire.Untouched} {
		if jobs[i].Result.Target != want {
			t.Errorf("job %d: %s is on the disk, want %s", i, jobs[i].Result.Target, want)
		}
	}
	var conflict *control.ConflictError
	if err := s.Cancel(t.Context(), operator(), b.ID); !errors.As(err, &conflict) {
		t.Error(err)
	}
	again, err := s.Retry(t.Context(), operator(), b.ID)
	if err != nil || again.Counts[fleet.Queued] != 3 {
		t.Errorf("%+v %v", again, err)
	}
	s.wantState(b.ID, fleet.Cancelled, fleet.Cancelled, fleet.Cancelled)
}

func TestRetries(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(deploy(a))
	for attempt := 1; attempt <= 3; attempt++ {
		if job := a.next().Job; job == nil || job.Attempt != attempt {
			t.Fatalf("attempt %d: %+v", attempt, job)
		}
		a.finish(wire.Result{Outcome: wire.Failed, Exit: 1, Retry: true, Error: "the server was gone", Target: wire.Unfinished})
		if reply := a.finish(wire.Result{Outcome: wire.Failed, Exit: 1, Retry: true}); reply != (wire.Reply{}) {
			t.Errorf("%+v", reply)
		}
		if attempt < 3 {
			s.wantState(b.ID, fleet.Queued)
			s.tick(fleet.Backoff(attempt))
		}
	}
	s.wantState(b.ID, fleet.Failed)
	agent, why, _, err := s.ChooseBoot(t.Context(), inventory(0).MACs[0], "")
	if err != nil || !agent || !strings.Contains(why, "unfinished") {
		t.Errorf("a machine whose deploy failed: %v %q %v", agent, why, err)
	}
	for range 5 {
		a.start()
	}
	if agent, why, _, _ = s.ChooseBoot(t.Context(), inventory(0).MACs[0], ""); agent {
		t.Errorf("it loops: %s", why)
	}
	s.wait(time.Hour)
	if agent, _, _, _ = s.ChooseBoot(t.Context(), inventory(0).MACs[0], ""); !agent {
		t.Error("an hour later it cannot be retried")
	}
}

func TestLimitAndOrder(t *testing.T) {
	s := newServer(t)
	agents := s.approved(4)
	spec := deploy(agents...)
	spec.Limit = 2
	b := s.submit(spec)
	for _, a := range agents {
		a.next()
	}
	jobs := s.wantState(b.ID, fleet.Running, fleet.Running, fleet.Queued, fleet.Queued)
	if jobs[2].Why != "waits for its turn: 2 at a time" {
		t.Errorf("%q", jobs[2].Why)
	}
	agents[1].finish(done())
	agents[3].next()
	s.wantState(b.ID, fleet.Running, fleet.Done, fleet.Queued, fleet.Running)
	agents[0].finish(done())
	agents[2].next()
	agents[2].finish(done())
	agents[3].finish(done())
	s.wantState(b.ID, fleet.Done, fleet.Done, fleet.Done, fleet.Done)
}

func TestOneJobAtATime(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	first := s.submit(deploy(a))
	s.wait(time.Second)
	second := s.submit(fleet.BatchSpec{Kind: wire.Verify, Image: "lab-pc", Machines: []string{a.machine}})
	for range 2 {
		if a.next().Job.Kind != wire.Deploy {
			t.Fatal("not in the order in which they were made")
		}
	}
	s.wantState(second.ID, fleet.Queued)
	a.finish(done())
	if agent, _, _, _ := s.ChooseBoot(t.Context(), inventory(0).MACs[0], ""); !agent {
		t.Error("there is work, but the machine starts its own disk")
	}
	if a.next().Job.Kind != wire.Verify {
		t.Fatal("the second does not follow")
	}
	a.finish(wire.Result{Outcome: wire.Done})
	s.wantState(first.ID, fleet.Done)
	s.wantState(second.ID, fleet.Done)
}

func TestAtATimeWithWake(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	spec := deploy(a)
	spec.At, spec.Wake = s.clock().Add(time.Hour), true
	b := s.submit(spec)
	s.wantState(b.ID, fleet.Scheduled)
	if a.next().Job != nil {
		t.Fatal("it started before its time")
	}
	s.tick(time.Hour + time.Minute + 5*time.Second)
	j := s.wantState(b.ID, fleet.Queued)[0]
	if j.Why != "woken 2 times, not seen yet" || len(s.woken) != 2 {
		t.Errorf("%q, woken %v", j.Why, s.woken)
	}
	s.tick(15 * time.Minute)
	if j := s.wantState(b.ID, fleet.Queued)[0]; !strings.HasPrefix(j.Why, "woken 10 times") || len(s.woken) != 10 {
		t.Errorf("%q, woken %d times", j.Why, len(s.woken))
	}
	if a.start().next().Job == nil {
		t.Error("a machine that woke late gets nothing")
	}
}

func TestToldKinds(t *testing.T) {
	s := newServer(t)
	agents := s.approved(3)
	b := s.submit(fleet.BatchSpec{Kind: fleet.RebootKind, Machines: deploy(agents...).Machines})
	for _, a := range agents {
		for range 2 {
			if order := a.next(); order.Then != wire.Reboot || order.Job != nil {
				t.Fatalf("%+v", order)
			}
		}
	}
	if agent, _, _, _ := s.ChooseBoot(t.Context(), inventory(0).MACs[0], ""); agent {
		t.Error("a machine that was told to restart gets the agent again")
	}
	agents[0].start()
	s.wantState(b.ID, fleet.Done, fleet.Running, fleet.Running)
	for range 160 {
		agents[1].next()
		s.tick(time.Second)
	}
	jobs := s.wantState(b.ID, fleet.Done, fleet.Failed, fleet.Done)
	if !strings.Contains(jobs[1].Why, "still runs") {
		t.Errorf("%q", jobs[1].Why)
	}
}

func TestLook(t *testing.T) {
	s := newServer(t)
	a := s.approved(1)[0]
	b := s.submit(fleet.BatchSpec{Kind: wire.Look, Machines: []string{a.machine}})
	if job := a.next().Job; job == nil || job.Kind != wire.Look {
		t.Fatalf("%+v", job)
	}
	a.finish(wire.Result{Outcome: wire.Done, Detail: []byte(`{"serial":"5XK2R000","maker":"Dell","uuid":"4c4c4544-0035-5810-804b-000000000001","cpu":"new"}`)})
	s.wantState(b.ID, fleet.Done)
	if m, _ := s.Machine(t.Context(), viewer(), a.machine); m.Inventory.CPU != "new" {
		t.Errorf("%+v", m.Inventory)
	}
}
