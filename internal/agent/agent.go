// Package agent is the worker on a machine that was started to be imaged: it tells
// a server what the machine is, takes jobs, runs them, reports them, and shows
// people at the machine what is going on.
//
// It owns the dialogue with the server (worker: a state machine without I/O), how a
// job becomes a command line and how its end is judged, and the console. It does no
// work on disks itself: a job is this very program run again with the arguments that
// a technician would type, so that a job that crashes takes nothing with it, and does
// what the documentation of the command line says. It does not know how the machine
// came up: package start does, and is behind Host. Start at New and Agent.Run.
package agent

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// Host is the machine that the agent runs on.
type Host interface {
	Addresses() map[string]string // by interface, "10.0.0.9/24"
	SetClock(now time.Time) error
	Beat()  // the agent lives
	Works() // the agent does what it is for
	Restart()
	PowerOff()
}

// Console is a place where people see and type.
type Console struct {
	Path   string // "/dev/tty1"
	Serial bool   // a line for each thing that happens, instead of a picture
}

// Options are what an agent is made of.
type Options struct {
	Version  string
	Boot     string // tells this start of the machine from others, also to an agent that was started again; "": made up
	Config   Config
	Program  []string // what runs a command of ingot, its arguments to follow
	Root     fs.FS    // the machine's, for facts
	Work     string   // folder for what jobs need, in memory
	Host     Host
	Consoles []Console
}

// Log adds lines to the log that the console shows.
func (a *Agent) Log(text string) { a.board.log(text) }

// Changed says that disks or addresses came or went.
func (a *Agent) Changed() {
	select {
	case a.changed <- struct{}{}:
	default: // it will be looked at anyway
	}
}

// Ready says that the devices have drivers, so that what is missing is not there.
func (a *Agent) Ready() { close(a.ready) }

// Run runs until ctx is done or the machine goes away. The consoles live from the
// beginning, the rest once Ready was called.
func (a *Agent) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := os.MkdirAll(a.Work, 0o700); err != nil {
		return err
	}
	for _, c := range a.Consoles {
		go a.serve(ctx, c)
	}
	if err := a.await(ctx); err != nil {
		return err
	}
	_ = a.look(ctx) // it tells
	if a.Config.Server == "" || a.Config.Mode == Standalone {
		a.board.set(func(s *Screen) { s.Phase = Alone })
		return a.idle(ctx)
	}
	c, err := newClient(a.Config.Server, a.Config.Fingerprint)
	if err != nil {
		a.board.set(func(s *Screen) { s.Phase, s.Trouble = Alone, err.Error() })
		a.board.log(fmt.Sprintf("no server: %v", err))
		return a.idle(ctx)
	}
	a.client = c
	return a.loop(ctx)
}

// await waits for Ready.
func (a *Agent) await(ctx context.Context) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		a.Host.Beat()
		select {
		case <-a.ready:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
			a.board.set(func(s *Screen) { s.Addresses = a.Host.Addresses() })
		}
	}
}

// idle lives without a server.
func (a *Agent) idle(ctx context.Context) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	a.Host.Works()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			a.Host.Beat()
		case <-a.changed:
			a.lookSoon(ctx)
		case e := <-a.events:
			if p, ok := e.(power); ok {
				a.power(p.then)
			}
		}
	}
}

// power ends the machine's run.
func (a *Agent) power(then wire.Then) {
	a.board.set(func(s *Screen) { s.Phase, s.Then = Leaving, then })
	time.Sleep(leaveWait)
	if then == wire.Shutdown {
		a.Host.PowerOff()
		return
	}
	a.Host.Restart()
}

const (
	beatEvery = 10 * time.Second
	// leaveWait lets people read why the screen goes dark.
	leaveWait = 2 * time.Second
)
