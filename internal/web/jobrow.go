package web

import (
	"strconv"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// jobRow is a job in a list.
type jobRow struct {
	ID, Batch, Machine string
	Name               string // of the machine, when the job was made
	Hostname           string // that it gives
	What               string // "deploy to", for a sentence
	Kind               string
	Badge              badge
	Open               bool // it can be cancelled
	Again              bool // it can be repeated
	Phase              string
	Why                string
	Percent            int // -1: not known
	Done, Total        int64
	Rate               int64
	Left               string
	Attempt            int
	Error, Hint        string
	Target             string // what a job that did not succeed left of the disk
	Made, Started      moment
	Ended              moment
	Took               string
}

func newJobRow(j fleet.Job, now time.Time) jobRow {
	row := jobRow{
		ID: j.ID, Batch: j.Batch, Machine: j.Machine, Name: j.Name, Hostname: j.Hostname,
		What: kindOf(j.Kind).sentence, Kind: kindOf(j.Kind).noun, Badge: jobBadge(j.State), Why: j.Why, Percent: -1, Attempt: j.Attempt,
		Open: !j.State.Ended() && j.State != fleet.Stopping, Again: j.State == fleet.Failed || j.State == fleet.Cancelled,
		Made: moment{j.Made, now}, Started: moment{j.Started, now}, Ended: moment{j.Ended, now},
	}
	switch j.State {
	case fleet.Running, fleet.Stopping:
		row.progress(j.Progress)
	case fleet.Done:
		row.Done, row.Total, row.Why = j.Progress.Total, j.Progress.Total, jobSummary(j)
	}
	if !j.Started.IsZero() && !j.Ended.IsZero() {
		row.Took = span(j.Ended.Sub(j.Started))
	}
	row.result(j)
	return row
}

func (row *jobRow) progress(p wire.Progress) {
	row.Phase, row.Done, row.Total, row.Rate = p.Phase, p.Done, p.Total, p.Rate
	row.Percent = percent(p.Done, p.Total)
	if p.Left >= 0 && p.Total > 0 {
		row.Left = span(time.Duration(p.Left) * time.Second)
	}
}

// result tells why a job failed, or an attempt of it did.
func (row *jobRow) result(j fleet.Job) {
	if j.Result == nil || j.State == fleet.Done {
		return
	}
	row.Error, row.Hint = j.Result.Error, j.Result.Hint
	if j.State == fleet.Failed && row.Error == "" {
		row.Error = j.Why
	}
	if j.State.Ended() {
		row.Target = targetText(j.Result.Target)
	}
}

// targetText says what a job left on a disk.
func targetText(t wire.TargetState) string {
	switch t {
	case wire.Untouched:
		return "Its disk was not changed."
	case wire.Unfinished:
		return "Its disk is unfinished and does not start. Repeat the job: what is there already is kept."
	case wire.Complete:
		return "Its disk is complete."
	}
	return ""
}

// Label is what the bar of a job measures, for screen readers.
func (row jobRow) Label() string { return "progress of " + row.Name }

// Shown is the number beside the bar.
func (row jobRow) Shown() string {
	if row.Percent < 0 {
		return ""
	}
	return strconv.Itoa(row.Percent) + " %"
}

// workKind is a kind of work in words.
type workKind struct {
	noun     string // heads a list
	sentence string // stands before a machine
	verb     string // on buttons
}

func kindOf(k wire.Kind) workKind {
	switch k {
	case wire.Deploy:
		return workKind{"Deploy", "Deploy to", "Deploy"}
	case wire.Capture:
		return workKind{"Capture", "Capture of", "Capture"}
	case wire.Verify:
		return workKind{"Verify", "Verify of", "Verify"}
	case wire.Wipe:
		return workKind{"Wipe", "Wipe of", "Wipe"}
	case wire.Look:
		return workKind{"Inventory", "Inventory of", "Read inventory"}
	case fleet.RebootKind:
		return workKind{"Restart", "Restart of", "Restart"}
	case fleet.ShutdownKind:
		return workKind{"Shutdown", "Shutdown of", "Shut down"}
	case fleet.LocalBootKind:
		return workKind{"Start from disk", "Start from disk of", "Start from disk"}
	}
	return workKind{string(k), string(k) + " of", string(k)}
}

// jobs reads a page of jobs as rows.
func (r reader) jobs(filter control.JobFilter) ([]jobRow, int, error) {
	jobs, total, err := r.ctl.Jobs(r.ctx, r.actor, filter)
	var rows []jobRow
	for _, j := range jobs {
		rows = append(rows, newJobRow(j, r.now))
	}
	return rows, total, err
}
