package agent

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// A worker decides what the agent says to its server and what it does. It is a
// state machine without I/O: handle takes what happened and returns what to do. It
// keeps one request in the air at most.
//
// Its promises: a job is run once per order, and its result is told until the
// server has it, through lost answers, lost sessions and a server that is away; a
// job that the server took away is ended and nothing is said of it; the machine is
// not switched off before the server has the result.
type worker struct {
	random func() float64 // in [0, 1), for waits

	asking   bool
	failures int       // of requests in a row
	wait     time.Time // no request before
	trouble  string    // why the last request failed; "" when it did not
	refused  bool      // the server is there and said no

	session string
	welcome wire.Welcome
	state   wire.State
	name    string

	local bool // somebody works at the console
	then  wire.Then
	off   bool // the machine goes away

	job      *wire.Job
	started  time.Time
	stopping bool
	lost     bool
	report   time.Time // the next is due
	seq      int64
	progress wire.Progress
	unsent   []wire.LogLine
	sending  int          // of them, in the request that is in the air
	result   *wire.Result // the job has ended
	trimmed  bool         // the server would not have the whole result

	last     *wire.Job    // that the server knows the end of
	lastDone *wire.Result // and how it ended
}

// Requests.
type verb string

const (
	hello  verb = "hello"
	next   verb = "next"
	report verb = "report"
	finish verb = "finish"
)

// A request is one that the shell shall make; what its verb needs is set.
type request struct {
	verb    verb
	session string
	job     string // of report, finish; of hello: the one that runs
	report  wire.Report
	result  wire.Result
}

// What happens.
type (
	// answered ends a request: with the field of its verb, or an error.
	answered struct {
		verb    verb
		err     error
		welcome wire.Welcome
		order   wire.Order
		reply   wire.Reply
	}
	woke       struct{} // the time that was asked for has come
	progressed struct{ progress wire.Progress }
	logged     struct{ line wire.LogLine }
	ended      struct{ result wire.Result } // the job that ran
	localWork  struct{ on bool }            // somebody begins or ends work at the console
	network    struct{}                     // an address came or went
)

// What to do.
type (
	ask   struct{ request request }
	wake  struct{ at time.Time } // replaces an earlier one
	run   struct{ job wire.Job }
	stop  struct{}
	clock struct{ now time.Time }
	power struct{ then wire.Then }
)

const (
	firstBackoff = time.Second
	mostBackoff  = time.Minute
	// mostBackoffJob leaves several tries until the lease of a job ends.
	mostBackoffJob = 10 * time.Second
	// calm is the least time between two questions for work, whatever a server says.
	calm = time.Second
	// mostAgain bounds what a server may ask for.
	mostAgain = 5 * time.Minute
	// maxUnsent bounds the log while the server is away.
	maxUnsent = 5000
)

// handle takes an event; nil is the first.
func (w *worker) handle(now time.Time, event any) []any {
	var todo []any
	switch e := event.(type) {
	case answered:
		todo = w.answered(now, e)
	case progressed:
		if e.progress.Phase != w.progress.Phase {
			w.report = now
		}
		w.progress = e.progress
	case logged:
		w.log(e.line)
	case ended:
		w.ended(now, e.result)
	case localWork:
		w.local = e.on
	case network:
		w.wait, w.failures = time.Time{}, 0
	}
	return append(todo, w.next(now)...)
}

// next is what to do when nothing else is in the air.
func (w *worker) next(now time.Time) []any {
	switch {
	case w.asking || w.off:
		return nil
	case now.Before(w.wait):
		return []any{wake{w.wait}}
	case w.session == "":
		r := request{verb: hello}
		if w.job != nil && !w.lost {
			r.job = w.job.ID
		}
		return w.ask(r)
	case w.job != nil && w.result != nil:
		return w.ask(request{verb: finish, session: w.session, job: w.job.ID, result: w.whole()})
	case w.job != nil && w.lost:
		return nil // until it has ended
	case w.job != nil && now.Before(w.report):
		return []any{wake{w.report}}
	case w.job != nil:
		return w.ask(w.newReport())
	case w.local:
		return nil
	case w.then != "":
		w.off = true
		return []any{power{w.then}}
	}
	return w.ask(request{verb: next, session: w.session})
}

func (w *worker) ask(r request) []any {
	w.asking = true
	return []any{ask{r}}
}

func (w *worker) newReport() request {
	w.seq++
	w.sending = min(len(w.unsent), wire.MaxLog)
	return request{verb: report, session: w.session, job: w.job.ID, report: wire.Report{
		Attempt: w.job.Attempt, Seq: w.seq, Progress: w.progress, Log: w.unsent[:w.sending:w.sending],
	}}
}

// log keeps a line until it is sent. When too many wait, the oldest go.
func (w *worker) log(line wire.LogLine) {
	if w.job == nil {
		return
	}
	if len(w.unsent) >= maxUnsent && w.sending == 0 {
		w.unsent = append(w.unsent[:0:0], w.unsent[maxUnsent/2:]...)
		w.unsent[0].Text = "... lines are missing here: the server was away for too long"
	}
	w.unsent = append(w.unsent, line)
}

// ended keeps the result of the job until the server has it.
func (w *worker) ended(now time.Time, r wire.Result) {
	if w.job == nil || w.result != nil {
		return
	}
	if w.lost {
		w.forget()
		return
	}
	r.Attempt, r.Progress = w.job.Attempt, w.progress
	if w.stopping && r.Outcome == wire.Failed && r.Exit == wire.ExitInterrupted {
		r.Outcome, r.Retry = wire.Cancelled, false
	}
	if r.Time.Total == 0 {
		r.Time.Total = now.Sub(w.started).Seconds()
	}
	w.result = &r
	if w.job.Kind == wire.Look {
		w.session = "" // hello says the inventory anew
	}
	if w.failures == 0 {
		w.wait = time.Time{}
	}
}

// whole is the result with the lines that no report took, as many as a request may
// have.
func (w *worker) whole() wire.Result {
	r := *w.result
	if w.trimmed {
		r.Detail, r.Lint, r.Log = nil, nil, nil
		return r
	}
	r.Log = w.unsent
	if over := len(r.Log) - wire.MaxLog; over > 0 {
		r.Log = append(r.Log[:0:0], r.Log[over:]...)
		r.Log[0].Text = "... lines are missing here"
	}
	return r
}

// forget makes room for the next job.
func (w *worker) forget() {
	w.job, w.result, w.stopping, w.lost, w.trimmed = nil, nil, false, false, false
	w.unsent, w.sending, w.progress = nil, 0, wire.Progress{}
}

// answered takes the end of a request.
func (w *worker) answered(now time.Time, e answered) []any {
	w.asking = false
	if e.err != nil {
		return w.failed(now, e)
	}
	w.trouble, w.refused = "", false
	if e.verb != hello { // a session that is refused each time must not be asked for without pause
		w.failures = 0
	}
	switch e.verb {
	case hello:
		w.welcome, w.session, w.state, w.name = e.welcome, e.welcome.Session, e.welcome.State, e.welcome.Name
		if w.failures > 0 {
			w.wait = now.Add(w.backoff())
		}
		return []any{clock{e.welcome.Now}}
	case next:
		return w.ordered(now, e.order)
	case report:
		w.report = now.Add(wire.ReportEvery)
		w.unsent, w.sending = w.unsent[w.sending:], 0
		return w.replied(e.reply)
	case finish:
		return w.finished(e.reply)
	}
	return nil
}

// ordered takes what the server wants.
func (w *worker) ordered(now time.Time, o wire.Order) []any {
	w.state = o.State
	if o.Name != "" {
		w.name = o.Name
	}
	w.wait = now.Add(min(max(time.Duration(o.Again)*time.Second, calm), mostAgain))
	switch {
	case o.Job != nil && o.State == wire.Approved:
		w.wait = time.Time{}
		return w.begin(now, *o.Job)
	case o.Then != "" && o.Then != wire.Stay:
		w.wait = time.Time{}
		w.then = o.Then
	}
	return nil
}

// begin runs a job, unless it ran already and the server has forgotten, or somebody
// works at the machine.
func (w *worker) begin(now time.Time, job wire.Job) []any {
	w.forget()
	w.job, w.started, w.report, w.seq = &job, now, now, 0
	w.progress = wire.Progress{Phase: "starting", Left: -1}
	if w.last != nil && w.last.ID == job.ID && w.last.Attempt == job.Attempt {
		w.result = w.lastDone
		return nil
	}
	w.last, w.lastDone = nil, nil
	if w.local {
		w.result = &wire.Result{
			Attempt: job.Attempt, Outcome: wire.Failed, Exit: wire.ExitFailed, Retry: true, Target: wire.Untouched,
			Error: "somebody is at work at this machine's console", Hint: "End the work there, or wait for its end.",
		}
		return nil
	}
	return []any{run{job}}
}

// replied takes the answer to a report.
func (w *worker) replied(r wire.Reply) []any {
	switch {
	case w.job == nil || w.result != nil && !r.Lost:
		return nil
	case r.Lost && w.result != nil:
		w.forget()
		return nil
	case r.Lost && !w.lost:
		w.lost = true
		return []any{stop{}}
	case r.Stop && !w.stopping:
		w.stopping = true
		return []any{stop{}}
	}
	return nil
}

// finished: the server has the result, or does not want it.
func (w *worker) finished(r wire.Reply) []any {
	job, result := w.job, w.result
	w.forget()
	if r.Lost {
		return nil
	}
	w.last, w.lastDone = job, result
	if result.Outcome == wire.Done && job.Then != wire.Stay {
		w.then = job.Then
	}
	return nil
}

// failed takes a request that failed. All are made again.
func (w *worker) failed(now time.Time, e answered) []any {
	w.failures++
	w.trouble = e.err.Error()
	w.sending = 0
	w.wait = now.Add(w.backoff())
	var status *statusError
	w.refused = errors.As(e.err, &status)
	if !w.refused {
		return nil
	}
	switch code := status.code; {
	case code == http.StatusUnauthorized && e.verb != hello:
		w.session = ""
		if w.failures == 1 {
			w.wait = time.Time{} // the usual case: the server was started anew
		}
	case notOurs(code) && (e.verb == report || e.verb == finish):
		return w.replied(wire.Reply{Lost: true})
	case code >= 400 && code < 500 && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout && e.verb == finish && !w.trimmed:
		// A result that is refused whole may be had without what is only nice to have.
		w.trimmed = true
	}
	return nil
}

// notOurs reports whether a status says that this machine does not have the job that it
// reports. One that was forgotten is another machine when it says hello again, to which
// the job is forbidden.
func notOurs(code int) bool {
	return slices.Contains([]int{http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusGone}, code)
}

// backoff doubles with each failure; half of it is left to chance, so that a room
// of PCs does not come back at once.
func (w *worker) backoff() time.Duration {
	most := mostBackoff
	if w.job != nil {
		most = mostBackoffJob
	}
	d := min(firstBackoff<<min(w.failures-1, 10), most)
	return d/2 + time.Duration(w.random()*float64(d/2))
}

// statusError is an answer that is no success.
type statusError struct {
	code int
	text string // for people
}

func (e *statusError) Error() string {
	if e.text != "" {
		return e.text
	}
	return fmt.Sprintf("the server answers %d %s", e.code, http.StatusText(e.code))
}
