package control_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

const seeds = 4

// TestRandomOrders lets machines, people, the clock and the server do what they
// please, and checks after every step what must always hold.
func TestRandomOrders(t *testing.T) {
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for range 150 {
				w.step()
				w.check()
			}
			w.behave()
		})
	}
}

type world struct {
	*server
	random  *rand.Rand
	agents  []*agent
	batches map[string]fleet.BatchSpec
	final   map[string]fleet.Job // jobs that ended, as they ended
	open    int                  // batches
}

func newWorld(t *testing.T, seed uint64) *world {
	s := newServer(t)
	w := &world{server: s, random: rand.New(rand.NewPCG(seed, 1)), batches: map[string]fleet.BatchSpec{}, final: map[string]fleet.Job{}}
	w.agents = s.approved(4)
	return w
}

func (w *world) step() {
	a := w.agents[w.random.IntN(len(w.agents))]
	switch n := w.random.IntN(100); {
	case n < 8:
		w.submitSome()
	case n < 12:
		w.cancelSome()
	case n < 18:
		w.tick(time.Duration(1+w.random.IntN(8)) * time.Second)
	case n < 22:
		w.wait(time.Duration(w.random.IntN(150)) * time.Second)
		w.must(w.Tick(w.t.Context()))
	case n < 25:
		w.restart()
	case n < 30:
		a.start()
	case n < 60:
		w.ask(a)
	case n < 85:
		if a.job != nil {
			w.tell(a)
		}
	default:
		if a.job != nil {
			w.end(a)
		}
	}
}

// restart loses what was in memory alone, as a crash does.
func (w *world) restart() {
	if w.random.IntN(2) == 0 {
		w.must(w.Close())
	}
	w.start()
}

func (w *world) submitSome() {
	var some []*agent
	for _, a := range w.agents {
		if w.random.IntN(2) == 0 {
			some = append(some, a)
		}
	}
	if len(some) == 0 {
		return
	}
	spec := deploy(some...)
	spec.Limit, spec.Attempts = w.random.IntN(3), 1+w.random.IntN(3)
	switch w.random.IntN(5) {
	case 0:
		spec = fleet.BatchSpec{Kind: fleet.RebootKind, Machines: spec.Machines, Limit: spec.Limit}
	case 1:
		spec.At = w.clock().Add(time.Duration(w.random.IntN(120)) * time.Second)
	case 2:
		spec.Wake = true
	}
	b, err := w.Submit(w.t.Context(), operator(), spec)
	var invalid control.InvalidErrors
	if errors.As(err, &invalid) { // a machine has too much to do
		return
	}
	w.must(err)
	w.batches[b.ID] = b.Spec
}

func (w *world) cancelSome() {
	for id := range w.batches {
		if w.random.IntN(2) == 0 {
			for _, j := range w.jobs(id) {
				id = j.ID
			}
		}
		err := w.Cancel(w.t.Context(), operator(), id)
		var conflict *control.ConflictError
		if err != nil && !errors.As(err, &conflict) {
			w.t.Fatal(err)
		}
		return
	}
}

func (w *world) ask(a *agent) {
	order, err := w.Next(w.t.Context(), a.session, "192.0.2.1")
	w.must(err)
	if order.Job != nil {
		a.job, a.seq = order.Job, 0
	}
	if order.Then != "" && w.random.IntN(2) == 0 {
		a.start()
	}
}

func (w *world) tell(a *agent) {
	a.seq++
	reply, err := w.Report(w.t.Context(), a.session, a.job.ID, wire.Report{Attempt: a.job.Attempt, Seq: a.seq, Progress: wire.Progress{Phase: "deploy", Done: a.seq}})
	w.must(err)
	if reply.Lost {
		a.job = nil
	}
	if reply.Stop {
		w.finish(a, wire.Result{Outcome: wire.Cancelled, Target: wire.Unfinished})
	}
}

func (w *world) end(a *agent) {
	results := []wire.Result{done(), done(), {Outcome: wire.Failed, Exit: 3, Error: "refused"}, {Outcome: wire.Failed, Exit: 1, Retry: true, Error: "network"}, {Outcome: wire.Cancelled}}
	w.finish(a, results[w.random.IntN(len(results))])
}

func (w *world) finish(a *agent, r wire.Result) {
	r.Attempt = a.job.Attempt
	first, err := w.Finish(w.t.Context(), a.session, a.job.ID, r)
	w.must(err)
	again, err := w.Finish(w.t.Context(), a.session, a.job.ID, r)
	w.must(err)
	if first.Lost != again.Lost {
		w.t.Fatalf("finish of %s: %+v, then %+v", a.job.ID, first, again)
	}
	a.job = nil
}

// check holds what must hold whatever happens.
func (w *world) check() {
	w.t.Helper()
	jobs, _, err := w.Jobs(w.t.Context(), viewer(), control.JobFilter{})
	w.must(err)
	running, active, open := map[string]string{}, map[string]int{}, map[string]int{}
	for _, j := range jobs {
		if before, ended := w.final[j.ID]; ended && (before.State != j.State || before.Attempt != j.Attempt || !before.Ended.Equal(j.Ended)) {
			w.t.Fatalf("a final state changed: %+v, was %+v", j, before)
		}
		if j.State.Ended() {
			w.final[j.ID] = j
			if j.Result == nil || j.Ended.IsZero() {
				w.t.Fatalf("a job ended without a result: %+v", j)
			}
			continue
		}
		open[j.Batch]++
		if j.Attempt > w.batches[j.Batch].Attempts {
			w.t.Fatalf("%s has attempt %d", j.ID, j.Attempt)
		}
		if !j.State.Active() {
			continue
		}
		active[j.Batch]++
		if other := running[j.Machine]; other != "" {
			w.t.Fatalf("%s and %s run on the machine %s", other, j.ID, j.Machine)
		}
		running[j.Machine] = j.ID
	}
	batches, _, err := w.Batches(w.t.Context(), viewer(), control.BatchFilter{})
	w.must(err)
	for _, b := range batches {
		if b.Spec.Limit > 0 && active[b.ID] > b.Spec.Limit {
			w.t.Fatalf("%d jobs of %s run, the limit is %d", active[b.ID], b.ID, b.Spec.Limit)
		}
		if (open[b.ID] == 0) == b.Ended.IsZero() {
			w.t.Fatalf("%s has %d open jobs, and ended %v", b.ID, open[b.ID], b.Ended)
		}
	}
	w.open = len(open)
}

// behave has every agent do its work: every batch must end.
func (w *world) behave() {
	for range 400 {
		for _, a := range w.agents {
			if a.job == nil {
				order, err := w.Next(w.t.Context(), a.session, "192.0.2.1")
				w.must(err)
				a.job, a.seq = order.Job, 0
				if order.Then != "" {
					a.start()
				}
			}
			if a.job != nil {
				w.finish(a, done())
			}
		}
		w.tick(time.Second)
		w.check()
		if w.open == 0 {
			return
		}
	}
	for id := range w.batches {
		for _, j := range w.jobs(id) {
			if !j.State.Ended() {
				w.t.Errorf("%s is %s: %s", j.ID, j.State, j.Why)
			}
		}
	}
}
