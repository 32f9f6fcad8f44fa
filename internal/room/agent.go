package room

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// StatusError is an answer that is no success.
type StatusError struct {
	Status int
	Detail string
}

func (e *StatusError) Error() string { return fmt.Sprintf("%d: %s", e.Status, e.Detail) }

// agent is what runs on a PC from one start to the next.
type agent struct {
	pc           *PC
	boot, secret string
	http         *http.Client

	mu    sync.Mutex
	doing Doing
}

func newAgent(pc *PC, boot, secret string) *agent {
	return &agent{pc: pc, boot: boot, secret: secret, http: &http.Client{Transport: &http.Transport{TLSClientConfig: pc.secure, MaxIdleConnsPerHost: 2}}}
}

func (a *agent) close() { a.http.CloseIdleConnections() }

func (a *agent) now() Doing {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doing
}

// set changes what the agent is at.
func (a *agent) set(change func(d *Doing)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.doing)
}

// run does what the server wants until the PC goes away.
func (a *agent) run(ctx context.Context) error {
	if err := a.hello(ctx); err != nil {
		return err
	}
	for {
		if err := a.pc.at(Idle); err != nil {
			return err
		}
		var order wire.Order
		err := a.say(ctx, wire.NextWait, wire.NextPath, struct{}{}, &order)
		if err != nil {
			return err
		}
		then := order.Then
		if order.Job != nil {
			if then, err = a.work(ctx, *order.Job); err != nil {
				return err
			}
		}
		if then != "" && then != wire.Stay {
			return a.pc.at(Leaving)
		}
		if order.Job == nil {
			sleep(ctx, time.Duration(order.Again)*time.Second)
		}
	}
}

// hello says hello until it is answered. A refusal ends the agent.
func (a *agent) hello(ctx context.Context) error {
	h := wire.Hello{Protocol: wire.Version, Agent: "room", Secret: a.secret, Boot: a.boot, Inventory: a.pc.Inventory}
	if job := a.now().Job; job != nil {
		h.Running = job.ID
	}
	var w wire.Welcome
	for {
		err := a.post(ctx, 0, wire.HelloPath, "", h, &w)
		if perr := a.pc.at(HelloSent); perr != nil {
			return perr
		}
		if err == nil {
			break
		}
		if refused(err) || ctx.Err() != nil {
			return err
		}
		sleep(ctx, a.pc.Pace.Retry)
	}
	a.set(func(d *Doing) { d.Session = w.Session })
	return nil
}

// refused reports whether a server that works says no, for good.
func refused(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Status >= 400 && status.Status < 500 && status.Status != http.StatusTooManyRequests
}

// say makes a request of a session until it is answered, with a new session where the
// old one is gone.
func (a *agent) say(ctx context.Context, wait time.Duration, path string, body, into any) error {
	for {
		err := a.post(ctx, wait, path, a.now().Session, body, into)
		var status *StatusError
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &status) && status.Status == http.StatusUnauthorized:
			err = a.hello(ctx)
			if err != nil {
				return err
			}
		case refused(err):
			return err
		}
		sleep(ctx, a.pc.Pace.Retry)
	}
}

// work runs a job and tells the server of it, and returns what to do then.
func (a *agent) work(ctx context.Context, job wire.Job) (wire.Then, error) {
	a.set(func(d *Doing) { d.Job = &job })
	defer a.set(func(d *Doing) { d.Job, d.Stopping = nil, false })
	if err := a.pc.at(Ordered); err != nil {
		return "", err
	}
	jobCtx, stop := context.WithCancel(ctx)
	defer stop()
	w := &progress.Work{Verb: string(job.Kind), Network: &progress.Traffic{}}
	ended := make(chan wire.Result, 1)
	go func() { ended <- a.pc.carryOut(jobCtx, job, w) }()
	lost, stopped := false, false
	report := wire.Report{Attempt: job.Attempt}
	for {
		select {
		case r := <-ended:
			if lost || ctx.Err() != nil {
				return "", ctx.Err()
			}
			if stopped && r.Exit == wire.ExitInterrupted {
				r.Outcome, r.Retry = wire.Cancelled, false
			}
			r.Attempt, r.Progress = job.Attempt, progressOf(w, "ended")
			return a.finish(ctx, job, r)
		case <-time.After(a.pc.Pace.Report):
		}
		report.Seq++
		report.Progress = progressOf(w, string(job.Kind))
		var reply wire.Reply
		if err := a.post(ctx, 0, jobPath(wire.ReportPath, job.ID), a.now().Session, report, &reply); err != nil {
			a.again(ctx, err)
		}
		lost, stopped = lost || reply.Lost, stopped || reply.Stop
		if lost || stopped {
			a.set(func(d *Doing) { d.Stopping = true })
			stop()
		}
	}
}

// again gets a new session where the old one is gone.
func (a *agent) again(ctx context.Context, err error) {
	var status *StatusError
	if errors.As(err, &status) && status.Status == http.StatusUnauthorized {
		_ = a.hello(ctx) // the next report says whether that helped
	}
}

// finish tells how a job ended until the server has it.
func (a *agent) finish(ctx context.Context, job wire.Job, r wire.Result) (wire.Then, error) {
	if err := a.pc.at(Written); err != nil {
		return "", err
	}
	var reply wire.Reply
	err := a.say(ctx, 0, jobPath(wire.FinishPath, job.ID), r, &reply)
	if perr := a.pc.at(ResultSent); perr != nil {
		return "", perr
	}
	if err != nil || reply.Lost || r.Outcome != wire.Done {
		return wire.Stay, err
	}
	return job.Then, nil
}

func jobPath(path, job string) string {
	return strings.Replace(path, "{job}", url.PathEscape(job), 1)
}

// post makes one request.
func (a *agent) post(ctx context.Context, wait time.Duration, path, session string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, wait+a.pc.Pace.Answer)
	defer cancel()
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.pc.url+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if session != "" {
		r.Header.Set("Authorization", "Bearer "+session)
	}
	resp, err := a.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		detail, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return &StatusError{resp.StatusCode, string(detail)}
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
