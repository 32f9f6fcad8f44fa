package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

const jobsPerPage = 200

// batchBody is a batch with its machines.
type batchBody struct {
	Batch    batchRow
	Operator bool
	Open     int // jobs that have not ended
	Again    int // jobs that can be repeated
	Totals   batchTotals
	Spec     []fact
	Rows     []jobRow
	State    string // only jobs in it
	Filters  []stateFilter
	Pager    *pager
}

// batchTotals are the sums of all jobs.
type batchTotals struct {
	Batch       batchRow
	Done, Total int64 // bytes of jobs that run or ran
	Rate        int64
	Left        string // of the last one to end, by their own words
	Took        string
	Said        string // for screen readers: changes only when a job ends
}

// stateFilter is a link to the jobs in one state.
type stateFilter struct {
	Path, Text string
	Here       bool
}

// fact is a line of what is known about something.
type fact struct{ Name, Value string }

func (r reader) batch(id, state string, offset int) (batchBody, error) {
	b, jobs, err := r.ctl.Batch(r.ctx, r.actor, id)
	if err != nil {
		return batchBody{}, err
	}
	body := batchBody{Batch: newBatchRow(b, r.now), Operator: r.actor.Role.May(fleet.Operator), State: state, Spec: specFacts(b, r.now)}
	body.Totals = newBatchTotals(b, jobs, body.Batch)
	shown := 0
	for _, j := range jobs {
		if !j.State.Ended() {
			body.Open++
		} else if j.State != fleet.Done {
			body.Again++
		}
		if state != "" && string(j.State) != state {
			continue
		}
		if shown++; shown > offset && len(body.Rows) < jobsPerPage {
			body.Rows = append(body.Rows, newJobRow(j, r.now))
		}
	}
	q := url.Values{}
	if state != "" {
		q.Set("state", state)
	}
	body.Pager = newPager("/batches/"+b.ID, q, offset, jobsPerPage, len(body.Rows), shown)
	body.Filters = stateFilters(b, state)
	return body, nil
}

func newBatchTotals(b fleet.Batch, jobs []fleet.Job, row batchRow) batchTotals {
	t := batchTotals{Batch: row}
	left := -1
	for _, j := range jobs {
		t.Total += j.Progress.Total
		t.Done += j.Progress.Done
		if j.State == fleet.Running {
			t.Rate += j.Progress.Rate
			left = max(left, j.Progress.Left)
		}
	}
	if left >= 0 {
		t.Left = span(time.Duration(left) * time.Second)
	}
	if !b.Ended.IsZero() {
		t.Took = span(b.Ended.Sub(b.Made))
	}
	t.Said = fmt.Sprintf("%d of %d done", row.Done, row.Jobs)
	if row.Failed > 0 {
		t.Said += fmt.Sprintf(", %d failed", row.Failed)
	}
	return t
}

func stateFilters(b fleet.Batch, here string) []stateFilter {
	all := []stateFilter{{"/batches/" + b.ID, "all", here == ""}}
	for _, s := range []fleet.JobState{fleet.Failed, fleet.Running, fleet.Queued, fleet.Done} {
		if n := b.Counts[s]; n > 0 || here == string(s) {
			all = append(all, stateFilter{"/batches/" + b.ID + "?state=" + string(s), fmt.Sprintf("%d %s", n, jobBadge(s).Text), here == string(s)})
		}
	}
	return all
}

// specFacts are what was asked for, as far as it is not how things are anyway.
func specFacts(b fleet.Batch, now time.Time) (facts []fact) {
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{name, value})
		}
	}
	s := b.Spec
	add("Asked for by", b.MadeBy+", "+moment{b.Made, now}.Exact())
	add("Image", s.Image)
	add("Profile", s.Profile)
	add("Group", s.Group)
	add("Disk", s.Disk)
	add("Wipe", wipeText(s.Wipe))
	add("Afterwards", thenText(s.Then))
	if !s.At.IsZero() {
		add("Not before", moment{s.At, now}.Exact())
	}
	if s.Wake {
		add("Wake", "by wake-on-LAN")
	}
	if s.Limit > 0 {
		add("At a time", counted(s.Limit, "machine", "machines"))
	}
	add("At most", rate(s.Rate))
	var options []string
	for _, o := range []struct {
		on   bool
		text string
	}{
		{s.Deploy.Readback, "read back everything"}, {s.Deploy.Full, "write everything"}, {s.Deploy.NewIDs, "new identifiers"},
		{s.Capture.Files, "file by file"}, {s.Capture.Raw, "every sector"}, {s.Deploy.Grow != "" && s.Deploy.Grow != "auto", "grow: " + s.Deploy.Grow},
	} {
		if o.on {
			options = append(options, o.text)
		}
	}
	add("Options", strings.Join(options, ", "))
	add("Notes", s.Notes)
	return facts
}

func wipeText(m wire.WipeMethod) string {
	switch m {
	case wire.WipeDiscard:
		return "discard: the disk forgets everything at once"
	case wire.WipeOverwrite:
		return "overwrite every sector"
	}
	return ""
}

func thenText(t wire.Then) string {
	switch t {
	case wire.Stay:
		return "stays in the agent"
	case wire.Reboot:
		return "restarts"
	case wire.Shutdown:
		return "shuts down"
	case wire.LocalBoot:
		return "restarts from its own disk"
	}
	return ""
}

func (b batchBody) parts() []livePart {
	rows := []livePart{}
	for _, row := range b.Rows {
		rows = append(rows, livePart{ID: "job-" + row.ID, Template: "job-row", Data: row})
	}
	return []livePart{
		{ID: "batch-state", Template: "batch-state", Data: b},
		{ID: "batch-totals", Template: "batch-totals", Data: b.Totals},
		{ID: "batch-said", Template: "batch-said", Data: b.Totals},
		{ID: "job-rows", Template: "job-rows", Data: map[string]any{"Rows": b.Rows, "ID": "job-rows"}, Rows: rows},
	}
}

func showBatch(v *visit) error {
	body, err := v.reader().batch(v.r.PathValue("id"), v.field("state"), v.offset())
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "batch", page{Title: body.Batch.Title, Nav: "batches", Live: "/events" + v.r.URL.RequestURI(),
		Up: []link{{"/batches", "Jobs"}}, Body: body})
}

func batchLive(v *visit) func(reader) (liveBody, error) {
	id, state, offset := v.r.PathValue("id"), v.field("state"), v.offset()
	return func(r reader) (liveBody, error) { return r.batch(id, state, offset) }
}
