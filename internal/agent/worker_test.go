package agent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// simulation is a server with one queue of jobs, a network that loses requests and
// answers, and a machine, around a worker. Time is simulated.
type simulation struct {
	t      *testing.T
	random *rand.Rand
	w      *worker
	now    time.Time

	faults   bool // while set, everything that can go wrong does
	session  string
	queue    []wire.Job
	current  *wire.Job // handed out
	cancel   bool
	taken    map[string]bool           // jobs that the server took away
	finished map[string][]wire.Outcome // what it was told, once an attempt
	seqs     map[string]int64
	lines    map[string]int

	running *wire.Job // on the machine
	stopped bool
	ends    time.Time
	runs    map[string]int
	off     wire.Then
	wake    time.Time
	flight  *answered // arrives at
	arrives time.Time
	clockAt time.Time
}

func key(j wire.Job) string { return fmt.Sprintf("%s/%d", j.ID, j.Attempt) }

func (s *simulation) chance(n int) bool { return s.faults && s.random.IntN(n) == 0 }

// feed gives the worker an event and does what it says.
func (s *simulation) feed(event any) {
	for _, todo := range s.w.handle(s.now, event) {
		switch todo := todo.(type) {
		case ask:
			if s.flight != nil {
				s.t.Fatal("two requests are in the air")
			}
			a := s.serve(todo.request)
			s.flight, s.arrives = &a, s.now.Add(time.Duration(s.random.IntN(3000))*time.Millisecond)
		case wake:
			s.wake = todo.at
		case run:
			if s.running != nil {
				s.t.Fatal("two jobs run")
			}
			s.running, s.stopped = &todo.job, false
			s.runs[key(todo.job)]++
			s.ends = s.now.Add(time.Duration(s.random.IntN(60)) * time.Second)
		case stop:
			s.stopped = true
			s.ends = s.now.Add(time.Duration(s.random.IntN(5)) * time.Second)
		case power:
			s.off = todo.then
		case clock:
			s.clockAt = todo.now
		}
	}
}

// serve is the server. The answer, or the request, may get lost.
func (s *simulation) serve(r request) answered {
	lost := answered{verb: r.verb, err: errors.New("connection reset")}
	if s.chance(5) {
		return lost
	}
	a := s.answer(r)
	if s.chance(5) {
		return lost
	}
	return a
}

func (s *simulation) answer(r request) answered {
	a := answered{verb: r.verb}
	if s.chance(10) {
		s.session = "" // the server was started anew
	}
	if r.verb != hello && (r.session != s.session || s.session == "") {
		a.err = &statusError{code: http.StatusUnauthorized}
		return a
	}
	if s.chance(15) {
		a.err = &statusError{code: []int{500, 502, 503, 429}[s.random.IntN(4)]}
		return a
	}
	switch r.verb {
	case hello:
		s.session = fmt.Sprint(s.random.Uint64())
		a.welcome = wire.Welcome{State: wire.Approved, Session: s.session, Name: "m", Now: s.now}
	case next:
		a.order = wire.Order{State: wire.Approved, Name: "m"}
		if s.current == nil && len(s.queue) > 0 {
			s.current, s.queue = &s.queue[0], s.queue[1:]
			s.cancel = false
		}
		a.order.Job = s.current
	case report:
		if s.current == nil || s.current.ID != r.job || s.current.Attempt != r.report.Attempt {
			a.reply.Lost = true
			return a
		}
		if r.report.Seq <= s.seqs[key(*s.current)] {
			s.t.Error("a report is older than the one before")
		}
		s.seqs[key(*s.current)] = r.report.Seq
		s.lines[key(*s.current)] += len(r.report.Log)
		s.cancel = s.cancel || s.chance(40)
		a.reply.Stop = s.cancel
		if s.chance(60) {
			s.taken[key(*s.current)] = true
			s.current = nil
			a.reply = wire.Reply{Lost: true}
		}
	case finish:
		if s.current == nil || s.current.ID != r.job || s.current.Attempt != r.result.Attempt {
			for k := range s.finished { // a repetition
				if k == fmt.Sprintf("%s/%d", r.job, r.result.Attempt) {
					return a
				}
			}
			a.reply.Lost = true
			return a
		}
		s.finished[key(*s.current)] = append(s.finished[key(*s.current)], r.result.Outcome)
		s.current = nil
	}
	return a
}

// step lets the next thing happen.
func (s *simulation) step() {
	s.now = s.now.Add(time.Duration(1+s.random.IntN(500)) * time.Millisecond)
	switch {
	case s.flight != nil && !s.now.Before(s.arrives):
		a := *s.flight
		s.flight = nil
		s.feed(a)
	case s.running != nil && !s.now.Before(s.ends):
		r := wire.Result{Outcome: []wire.Outcome{wire.Done, wire.Failed}[s.random.IntN(2)], Exit: wire.ExitFailed}
		if s.stopped && s.random.IntN(2) == 0 {
			r.Outcome, r.Exit = wire.Failed, wire.ExitInterrupted
		}
		s.running = nil
		s.feed(ended{r})
	case !s.wake.IsZero() && !s.now.Before(s.wake):
		s.wake = time.Time{}
		s.feed(woke{})
	case s.running != nil && s.random.IntN(4) == 0:
		s.feed(progressed{wire.Progress{Phase: []string{"a", "b"}[s.random.IntN(2)]}})
	case s.running != nil && s.random.IntN(4) == 0:
		s.feed(logged{wire.LogLine{Text: "x"}})
	case s.chance(100):
		s.feed(network{})
	}
}

// TestWorkerEndsEveryJob runs jobs through every order of faults: each is run once,
// its end is told once, and none is forgotten.
func TestWorkerEndsEveryJob(t *testing.T) {
	for seed := range uint64(400) {
		random := rand.New(rand.NewPCG(seed, 1))
		s := &simulation{
			t: t, random: random, now: time.Unix(1e9, 0), w: &worker{random: random.Float64}, faults: true,
			taken: map[string]bool{}, finished: map[string][]wire.Outcome{}, seqs: map[string]int64{}, lines: map[string]int{}, runs: map[string]int{},
		}
		jobs := 1 + random.IntN(5)
		for i := range jobs {
			s.queue = append(s.queue, wire.Job{ID: fmt.Sprintf("j-%d", i/2), Attempt: 1 + i%2, Kind: []wire.Kind{wire.Deploy, wire.Capture, wire.Look}[random.IntN(3)], Then: wire.Stay})
		}
		all := append([]wire.Job(nil), s.queue...)
		s.feed(nil)
		for i := range 200_000 {
			if i == 2_000+random.IntN(2_000) {
				s.faults = false // an hour later the network is repaired
			}
			s.faults = s.faults && i < 4_000
			if len(s.queue) == 0 && s.current == nil && s.running == nil && !s.faults {
				break
			}
			s.step()
			if s.off != "" {
				t.Fatalf("seed %d: the machine went off", seed)
			}
		}
		for _, j := range all {
			k := key(j)
			ends := s.finished[k]
			switch {
			case s.runs[k] > 1:
				t.Errorf("seed %d: job %s was run %d times", seed, k, s.runs[k])
			case len(ends) > 1:
				t.Errorf("seed %d: job %s ended %d times", seed, k, len(ends))
			case len(ends) == 0 && !s.taken[k]:
				t.Errorf("seed %d: the server was never told how job %s ended", seed, k)
			}
		}
		if t.Failed() {
			return
		}
	}
}

func TestWorkerLeavesAfterTheServerKnows(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := &worker{random: func() float64 { return 0 }}
	give := func(event any) []any {
		t.Helper()
		now = now.Add(time.Minute)
		return w.handle(now, event)
	}
	asked := func(todo []any, want verb) request {
		t.Helper()
		for _, d := range todo {
			if a, ok := d.(ask); ok && a.request.verb == want {
				return a.request
			}
		}
		t.Fatalf("%v, want %s", todo, want)
		return request{}
	}
	asked(give(nil), hello)
	asked(give(answered{verb: hello, welcome: wire.Welcome{Session: "s", State: wire.Pending}}), next)
	give(answered{verb: next, order: wire.Order{State: wire.Pending}})
	asked(give(woke{}), next)
	todo := give(answered{verb: next, order: wire.Order{State: wire.Approved, Job: &wire.Job{ID: "j", Attempt: 1, Then: wire.Shutdown}}})
	if _, ok := todo[0].(run); !ok {
		t.Fatalf("%v", todo)
	}
	asked(todo, report)
	give(answered{verb: report, err: errors.New("no route to host")})
	todo = give(ended{wire.Result{Outcome: wire.Done}})
	for range 20 { // the server is away
		if r := asked(todo, finish); r.result.Outcome != wire.Done || r.result.Attempt != 1 {
			t.Fatalf("%+v", r.result)
		}
		for _, d := range give(answered{verb: finish, err: errors.New("no route to host")}) {
			if p, ok := d.(power); ok {
				t.Fatalf("%v before the server knows", p)
			}
		}
		todo = give(woke{})
	}
	asked(todo, finish)
	// The session is gone: hello says which job it is about.
	todo = give(answered{verb: finish, err: &statusError{code: http.StatusUnauthorized}})
	for len(todo) == 1 {
		if _, ok := todo[0].(wake); !ok {
			break
		}
		todo = give(woke{})
	}
	if r := asked(todo, hello); r.job != "j" {
		t.Fatalf("%+v", r)
	}
	todo = give(answered{verb: hello, welcome: wire.Welcome{Session: "s2", State: wire.Approved}})
	if _, ok := todo[len(todo)-1].(wake); ok {
		todo = give(woke{})
	}
	if r := asked(todo, finish); r.session != "s2" {
		t.Fatalf("%+v", r)
	}
	todo = give(answered{verb: finish})
	if p, ok := todo[len(todo)-1].(power); !ok || p.then != wire.Shutdown {
		t.Fatalf("%v", todo)
	}
	if todo := give(woke{}); todo != nil {
		t.Fatalf("%v after the end", todo)
	}
}

func TestWorkerFailedJobStays(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := &worker{random: func() float64 { return 0 }, session: "s"}
	w.job, w.result = &wire.Job{ID: "j", Then: wire.Reboot}, &wire.Result{Outcome: wire.Failed}
	w.asking = true
	for _, d := range w.handle(now, answered{verb: finish}) {
		if _, ok := d.(power); ok {
			t.Error("a machine whose job failed restarts")
		}
	}
}

// TestWorkerTrims: a server that refuses a whole result gets its essence.
func TestWorkerTrims(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := &worker{random: func() float64 { return 0 }, session: "s", asking: true}
	w.job, w.result = &wire.Job{ID: "j"}, &wire.Result{Outcome: wire.Failed, Detail: []byte("{}")}
	w.unsent = []wire.LogLine{{Text: "a"}}
	w.handle(now, answered{verb: finish, err: &statusError{code: http.StatusRequestEntityTooLarge}})
	todo := w.handle(now.Add(time.Hour), woke{})
	if r := todo[0].(ask).request; r.verb != finish || r.result.Detail != nil || r.result.Log != nil || r.result.Outcome != wire.Failed {
		t.Errorf("%+v", r)
	}
}

// TestWorkerForgetsAForeignJob: a machine that was forgotten while it worked is another
// one when it says hello again, and does not ask for ever what to do with its job.
func TestWorkerForgetsAForeignJob(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := &worker{random: func() float64 { return 0 }, session: "s", asking: true}
	w.job, w.result = &wire.Job{ID: "j"}, &wire.Result{Outcome: wire.Failed}
	w.handle(now, answered{verb: finish, err: &statusError{code: http.StatusForbidden}})
	todo := w.handle(now.Add(time.Hour), woke{})
	if r := todo[0].(ask).request; r.verb != next {
		t.Errorf("%+v", r)
	}
}

func TestWorkerDoesNotTakeAJobFromSomebodyAtTheConsole(t *testing.T) {
	now := time.Unix(1e9, 0)
	w := &worker{random: func() float64 { return 0 }, session: "s", asking: true, local: true}
	todo := w.handle(now, answered{verb: next, order: wire.Order{State: wire.Approved, Job: &wire.Job{ID: "j", Attempt: 2}}})
	r, ok := todo[0].(ask)
	if !ok || r.request.verb != finish || r.request.result.Target != wire.Untouched || !r.request.result.Retry || r.request.result.Exit != wire.ExitFailed {
		t.Fatalf("%v", todo)
	}
	if todo := w.handle(now, answered{verb: finish}); len(todo) != 0 {
		t.Errorf("%v while somebody is at work", todo)
	}
	w.handle(now.Add(time.Hour), localWork{false})
	if !w.asking {
		t.Error("it does not ask for work any more")
	}
}
