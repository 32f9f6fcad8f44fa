package agent

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingot-imaging/ingot/internal/machine"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// An Agent does what its worker decides. One goroutine, loop, owns the worker;
// everything else tells it by events.
type Agent struct {
	Options
	client  *client
	child   child
	board   *board
	worker  worker
	events  chan any
	changed chan struct{}
	ready   chan struct{}
	looking atomic.Bool        // lookSoon will
	stop    context.CancelFunc // of the job that runs; nil for none

	mu        sync.Mutex
	inventory wire.Inventory
	desk      desk
}

// New returns an agent that Run brings to life.
func New(o Options) *Agent {
	o.Boot = cmp.Or(o.Boot, rand.Text())
	return &Agent{
		Options: o, events: make(chan any, 256), changed: make(chan struct{}, 1), ready: make(chan struct{}), board: newBoard(),
		child:  child{program: o.Program, grace: stopGrace},
		worker: worker{random: mathrand.Float64},
	}
}

// settled is how long an agent must have run, without having ended a job, before it
// counts as one that does not crash over and over.
const settled = 10 * time.Minute

// loop handles events until ctx is done or the machine goes away.
func (a *Agent) loop(ctx context.Context) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	step := func(event any) {
		todos := a.worker.handle(time.Now(), event)
		a.show()
		for _, todo := range todos {
			if w, ok := todo.(wake); ok {
				timer.Reset(time.Until(w.at))
				continue
			}
			a.do(ctx, todo)
		}
	}
	step(nil)
	began := time.Now()
	for {
		a.Host.Beat()
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case <-timer.C:
			step(woke{})
		case <-a.changed:
			a.lookSoon(ctx)
			step(network{})
		case e := <-a.events:
			if p, ok := e.(power); ok { // somebody at the console
				a.power(p.then)
				continue
			}
			if r, ok := e.(answered); ok && r.err == nil && (r.verb == finish || time.Since(began) > settled) {
				a.Host.Works()
			}
			step(e)
		}
	}
}

// post tells the loop.
func (a *Agent) post(ctx context.Context, event any) {
	select {
	case a.events <- event:
	case <-ctx.Done():
	}
}

func (a *Agent) do(ctx context.Context, todo any) {
	switch t := todo.(type) {
	case ask:
		h := wire.Hello{Protocol: wire.Version, Agent: a.Version, Secret: a.Config.Secret, Boot: a.Boot, Inventory: a.facts()}
		go func() { a.post(ctx, a.client.do(ctx, t.request, h)) }()
	case clock:
		if err := a.Host.SetClock(t.now); err != nil {
			a.board.log(err.Error())
		}
	case run:
		jobCtx, cancel := context.WithCancel(ctx)
		a.stop = cancel
		session := a.worker.session
		go func() {
			defer cancel()
			a.post(ctx, ended{a.guard(ctx, jobCtx, t.job, session)})
		}()
	case stop:
		if a.stop != nil {
			a.stop()
		}
	case power:
		a.power(t.then)
	}
}

// guard turns a mistake of the agent's own into a failed job.
func (a *Agent) guard(ctx, jobCtx context.Context, job wire.Job, session string) (r wire.Result) {
	defer func() {
		if p := recover(); p != nil {
			r = wire.Result{Outcome: wire.Failed, Exit: wire.ExitFailed, Target: wire.Unfinished, Error: fmt.Sprintf("the agent made a mistake: %v", p)}
			a.board.log(fmt.Sprintf("%v\n%s", p, debug.Stack()))
		}
	}()
	return a.job(ctx, jobCtx, job, session)
}

// look reads the inventory anew. What cannot be read is told and left out; the error
// says that this is the disks.
func (a *Agent) look(ctx context.Context) error {
	inv, err := machine.Inventory(a.Root)
	if err != nil {
		a.board.log(err.Error())
	}
	lookCtx, cancel := context.WithTimeout(ctx, lookMost)
	defer cancel()
	var unread error
	if inv.Disks, unread = listDisks(lookCtx, a.child); unread != nil {
		if ctx.Err() != nil {
			return unread
		}
		a.board.log(unread.Error())
	}
	addHealth(lookCtx, inv.Disks)
	a.mu.Lock()
	a.inventory = inv
	a.mu.Unlock()
	a.board.set(func(s *Screen) { s.Machine, s.Addresses = a.facts(), a.Host.Addresses() })
	return unread
}

// lookSoon looks when things have calmed down, in a goroutine of its own. Nobody
// reads disks that a job writes: it looks itself when it is done.
func (a *Agent) lookSoon(ctx context.Context) {
	a.board.set(func(s *Screen) { s.Addresses = a.Host.Addresses() })
	if !a.looking.CompareAndSwap(false, true) {
		return
	}
	go func() {
		sleep(ctx, calmDown)
		a.looking.Store(false)
		if s, _ := a.board.look(); s.Phase != Working {
			_ = a.look(ctx) // it tells
		}
	}()
}

// calmDown is how long the messages about one thing that was plugged in keep coming.
const calmDown = 2 * time.Second

// lookMost bounds a look at all disks; one that fails may take minutes to answer.
const lookMost = 90 * time.Second

// facts are the inventory with the addresses of now.
func (a *Agent) facts() wire.Inventory {
	a.mu.Lock()
	inv := a.inventory
	a.mu.Unlock()
	addresses := a.Host.Addresses()
	nics := make([]wire.NIC, 0, len(inv.NICs))
	for _, n := range inv.NICs {
		n.Addr = addresses[n.Name]
		n.Link = n.Link || n.Addr != ""
		nics = append(nics, n)
	}
	inv.NICs = nics
	return inv
}

// show puts what the worker knows on the screen.
func (a *Agent) show() {
	w := &a.worker
	a.board.set(func(s *Screen) {
		s.Server, s.Name, s.Trouble, s.Refused = a.Config.Server, w.name, w.trouble, w.refused
		s.Addresses = a.Host.Addresses()
		s.Phase = w.phase(len(s.Addresses) > 0)
		if w.job != nil {
			s.Job, s.Progress, s.Stopping, s.Result = w.job, w.progress, w.stopping || w.lost, w.result
		} else if w.last != nil {
			s.Job, s.Result = w.last, w.lastDone
		}
		s.Untold = w.result != nil
	})
}

// phase is what the screen is about.
func (w *worker) phase(address bool) Phase {
	switch {
	case w.off:
		return Leaving
	case w.job != nil && w.result == nil:
		return Working
	case w.job != nil || w.last != nil:
		return Ended
	case !address && w.session == "":
		return NoNetwork
	case w.session == "":
		return NoServer
	case w.state == wire.Approved:
		return Ready
	case w.state == wire.Rejected:
		return Rejected
	}
	return Waiting
}
