package web

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// jobBody is one job: how far it is, how it ended, what its agent said.
type jobBody struct {
	Job      jobRow
	Batch    string // title
	Operator bool
	Summary  string // in a sentence
	Facts    []fact
	Spent    []spent
	Log      []logRow
	Earlier  bool // the log has more before Log
}

// spent is where time went.
type spent struct {
	Name    string
	Seconds float64
	Percent int // of the whole
	Text    string
}

// logRow is a line of a log.
type logRow struct {
	ID   int64
	At   moment
	Text string
}

// Clock is the time of the line on its day.
func (l logRow) Clock() string { return l.At.at.In(l.At.now.Location()).Format("15:04:05") }

// Lines of a log: what a page shows when it is loaded, and what it grows to.
const (
	logShown = 300
	logMost  = 3000
)

func (r reader) job(id string, from int64) (jobBody, error) {
	j, err := r.ctl.Job(r.ctx, r.actor, id)
	if err != nil {
		return jobBody{}, err
	}
	b, _, err := r.ctl.Batch(r.ctx, r.actor, j.Batch)
	if err != nil {
		return jobBody{}, err
	}
	body := jobBody{Job: newJobRow(j, r.now), Batch: batchTitle(b), Operator: r.actor.Role.May(fleet.Operator), Summary: jobSummary(j), Facts: jobFacts(j, b, r.now)}
	if j.Result != nil {
		body.Spent = spentOf(j.Result.Time)
	}
	entries, err := r.log(id, from)
	for _, e := range entries {
		body.Log = append(body.Log, logRow{e.ID, moment{e.At, r.now}, e.Text})
	}
	body.Earlier = from > 0
	return body, err
}

// log reads a job's log after an ID, as far as a page goes.
func (r reader) log(id string, after int64) ([]control.LogEntry, error) {
	var all []control.LogEntry
	for len(all) < logMost {
		entries, err := r.ctl.JobLog(r.ctx, r.actor, id, after)
		if err != nil || len(entries) == 0 {
			return all, err
		}
		all = append(all, entries...)
		after = entries[len(entries)-1].ID
	}
	return all, nil
}

// logFrom is the ID after which a page's log begins: the last lines are what
// matters.
func (r reader) logFrom(id string) (int64, error) {
	var ids []int64
	for after := int64(0); ; {
		entries, err := r.ctl.JobLog(r.ctx, r.actor, id, after)
		if err != nil {
			return 0, err
		}
		if len(entries) == 0 {
			break
		}
		for _, e := range entries {
			ids = append(ids, e.ID)
		}
		after = ids[len(ids)-1]
	}
	if len(ids) <= logShown {
		return 0, nil
	}
	return ids[len(ids)-logShown-1], nil
}

// jobSummary says how a job ended, or what it waits for.
func jobSummary(j fleet.Job) string {
	if !j.State.Ended() || j.Result == nil {
		return sentence(j.Why)
	}
	p := j.Result.Progress
	switch {
	case j.State == fleet.Cancelled:
		return sentence(j.Why)
	case j.State != fleet.Done:
		return "" // the error says it
	}
	switch j.Kind {
	case wire.Deploy:
		return fmt.Sprintf("%s written, %s was right already, %s came over the network. Every byte was verified.", size(p.Written), size(p.Same), size(p.Fetched))
	case wire.Capture:
		return fmt.Sprintf("The image is %s.", cmp.Or(j.Result.Name, j.Result.Image))
	case wire.Verify:
		return fmt.Sprintf("The disk is as in the image: %s compared.", size(p.Total))
	case wire.Wipe:
		return "The disk was wiped, and read back."
	}
	return "Done."
}

func jobFacts(j fleet.Job, b fleet.Batch, now time.Time) (facts []fact) {
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{name, value})
		}
	}
	add("Image", b.Spec.Image)
	add("Profile", b.Spec.Profile)
	add("Host name", j.Hostname)
	add("Disk", cmp.Or(j.Disk, b.Spec.Disk))
	add("Asked for by", b.MadeBy)
	add("Asked for", moment{j.Made, now}.Exact())
	if !j.Started.IsZero() {
		add("Started", moment{j.Started, now}.Exact())
	}
	if !j.Ended.IsZero() {
		add("Ended", moment{j.Ended, now}.Exact())
	}
	if j.Attempt > 1 {
		add("Attempts", fmt.Sprint(j.Attempt))
	}
	if p := j.Progress; p.Fetched+p.Written+p.Same > 0 {
		add("Over the network", size(p.Fetched))
		add("Written", size(p.Written))
		add("Right already", size(p.Same))
	}
	if r := j.Result; r != nil {
		add("Left on the disk", targetText(r.Target))
		if r.Exit != 0 {
			add("Exit code", fmt.Sprint(r.Exit))
		}
	}
	return facts
}

func spentOf(t wire.Time) []spent {
	if t.Total <= 0 {
		return nil
	}
	var all []spent
	for _, s := range []spent{{Name: "Waited for the network", Seconds: t.Network}, {Name: "Waited for the disk", Seconds: t.Disk}, {Name: "Computed (all cores)", Seconds: t.CPU}} {
		s.Percent = int(min(max(s.Seconds/t.Total*100, 0), 100))
		s.Text = span(time.Duration(s.Seconds * float64(time.Second)))
		all = append(all, s)
	}
	return all
}

func (b jobBody) parts() []livePart {
	rows := []livePart{}
	for _, l := range b.Log {
		rows = append(rows, livePart{ID: fmt.Sprintf("log-%d", l.ID), Template: "log-row", Data: l})
	}
	return []livePart{
		{ID: "job-state", Template: "job-state", Data: b},
		{ID: "job-said", Template: "job-said", Data: b},
		{ID: "job-result", Template: "job-result", Data: b},
		{ID: "log", Template: "log", Data: b, Rows: rows},
	}
}

func showJob(v *visit) error {
	id := v.r.PathValue("id")
	from, err := v.reader().logFrom(id)
	if err != nil {
		return err
	}
	body, err := v.reader().job(id, from)
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "job", page{Title: body.Job.What + " " + body.Job.Name, Nav: "batches", Live: "/events/jobs/" + id,
		Up: []link{{"/batches", "Jobs"}, {"/batches/" + body.Job.Batch, body.Batch}}, Body: body})
}

func jobLive(v *visit) func(reader) (liveBody, error) {
	id, from := v.r.PathValue("id"), int64(-1)
	return func(r reader) (liveBody, error) {
		if from < 0 {
			first, err := r.logFrom(id)
			if err != nil {
				return nil, err
			}
			from = first
		}
		return r.job(id, from)
	}
}

// showJobLog is the whole log as text, to be kept or sent to somebody.
func showJobLog(v *visit) error {
	id := v.r.PathValue("id")
	if _, err := v.ctl.Job(v.r.Context(), v.actor, id); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	for after := int64(0); ; {
		entries, err := v.ctl.JobLog(v.r.Context(), v.actor, id, after)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			fmt.Fprintf(v.w, "%s %d %s\n", e.At.In(v.now.Location()).Format(time.RFC3339), e.Attempt, inert(e.Text))
		}
		after = entries[len(entries)-1].ID
	}
}
