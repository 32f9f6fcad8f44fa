package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ingot-imaging/ingot/internal/api/apitest"
	"github.com/ingot-imaging/ingot/internal/cli/clitest"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ingot": func() { os.Exit(program().Main()) }})
}

// TestScripts runs testdata/*.txtar: what the commands of a server do, as their users
// see it. Each script has a server of its own, of which the environment has the
// address, the fingerprint and an administrator's token. They add to the commands of
// testscript and of package clitest:
//
//	agent N              machine N starts its agent
//	work N report PHASE  machine N takes its job, if it has none, and says that it is in a phase
//	work N done|failed   it takes its job, if it has none, and ends it
//	token ROLE VARIABLE  make a token
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", Setup: setup, UpdateScripts: os.Getenv("INGOT_UPDATE") != "",
		Cmds: clitest.Commands(map[string]clitest.Command{"agent": agent, "work": work, "token": token}),
	})
}

// room is a server and its machines, by number.
type room struct {
	*apitest.Server
	agents map[string]*apitest.Agent
	jobs   map[string]*wire.Job // that they have
}

type roomKey struct{}

func setup(e *testscript.Env) error {
	s, err := apitest.Start(e.WorkDir+"/.server", io.Discard)
	if err != nil {
		return err
	}
	e.Defer(func() { s.Close() })
	e.Values[roomKey{}] = &room{s, map[string]*apitest.Agent{}, map[string]*wire.Job{}}
	secret, err := s.Token(fleet.Admin)
	e.Setenv("INGOT_SERVER", s.URL)
	e.Setenv("INGOT_FINGERPRINT", s.Fingerprint)
	e.Setenv("INGOT_TOKEN", secret)
	e.Setenv("XDG_CONFIG_HOME", e.WorkDir+"/config")
	e.Setenv("TZ", "UTC")
	return err
}

func roomOf(ts *testscript.TestScript) *room { return ts.Value(roomKey{}).(*room) }

func agent(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	r := roomOf(ts)
	r.agents[args[0]], err = r.NewAgent(context.Background(), n)
	ts.Check(err)
	ts.Setenv("MACHINE"+args[0], r.agents[args[0]].Machine)
}

func work(ts *testscript.TestScript, _ bool, args []string) {
	r, ctx := roomOf(ts), context.Background()
	a := r.agents[args[0]]
	if r.jobs[args[0]] == nil {
		job, err := take(ctx, a)
		ts.Check(err)
		r.jobs[args[0]] = job
	}
	job := r.jobs[args[0]]
	switch args[1] {
	case "report":
		ts.Check(a.Report(ctx, job, 1, strings.Join(args[2:], " ")))
		return
	case "done":
		ts.Check(a.Finish(ctx, job, wire.Result{Outcome: wire.Done, Target: wire.Complete}))
	case "failed":
		ts.Check(a.Finish(ctx, job, wire.Result{Outcome: wire.Failed, Exit: 4, Error: "chunk 12 is damaged", Hint: "check the store", Target: wire.Unfinished}))
	default:
		ts.Fatalf("work does not know %q", args[1])
	}
	delete(r.jobs, args[0])
}

// take waits for work: a command that gives it may still run.
func take(ctx context.Context, a *apitest.Agent) (*wire.Job, error) {
	for range 20_000 {
		order, err := a.Next(ctx)
		if err != nil {
			return nil, err
		}
		if order.Job != nil {
			return order.Job, nil
		}
	}
	return nil, errors.New("the machine got no work")
}

func token(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: token ROLE VARIABLE")
	}
	secret, err := roomOf(ts).Token(fleet.Role(args[0]))
	ts.Check(err)
	ts.Setenv(args[1], secret)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(fmt.Sprintln(secret)), 0o600))
}
