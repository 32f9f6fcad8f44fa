package web

import (
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

const batchesPerPage = 50

// batchesBody is the list of work that was asked for.
type batchesBody struct {
	Operator bool
	Open     bool // only what has not ended
	Rows     []batchRow
	Pager    *pager
}

// batchRow is a batch in a list.
type batchRow struct {
	ID      string
	Title   string
	Badge   badge
	MadeBy  string
	Made    moment
	Ended   moment
	Jobs    int
	Done    int
	Failed  int
	Counts  string // "3 running, 2 failed"
	Percent int
	Bytes   int64
}

// Label is what its bar measures.
func (b batchRow) Label() string { return "jobs that ended of " + b.Title }

func newBatchRow(b fleet.Batch, now time.Time) batchRow {
	row := batchRow{
		ID: b.ID, Title: batchTitle(b), Badge: batchBadge(b), MadeBy: b.MadeBy, Made: moment{b.Made, now}, Ended: moment{b.Ended, now},
		Done: b.Counts[fleet.Done], Failed: b.Counts[fleet.Failed], Counts: countsText(b.Counts), Bytes: b.Bytes,
	}
	ended := 0
	for state, n := range b.Counts {
		row.Jobs += n
		if state.Ended() {
			ended += n
		}
	}
	row.Percent = 100
	if ended < row.Jobs {
		row.Percent = percent(int64(ended), int64(row.Jobs))
	}
	return row
}

// batchTitle is "Deploy lab-pc:v3 to 24 machines".
func batchTitle(b fleet.Batch) string {
	jobs := 0
	for _, n := range b.Counts {
		jobs += n
	}
	machines := counted(jobs, "machine", "machines")
	kind := kindOf(b.Spec.Kind)
	if b.Spec.Image == "" {
		return kind.sentence + " " + machines
	}
	switch kind.noun {
	case "Deploy":
		return fmt.Sprintf("Deploy %s to %s", b.Spec.Image, machines)
	case "Capture":
		return fmt.Sprintf("Capture %s from %s", b.Spec.Image, machines)
	}
	return fmt.Sprintf("%s %s with %s", kind.verb, machines, b.Spec.Image)
}

// batchBadge is as bad as the worst of its jobs: a batch of which one job failed
// has failed jobs, however many succeeded.
func batchBadge(b fleet.Batch) badge {
	c := b.Counts
	open := c[fleet.Scheduled] + c[fleet.Queued] + c[fleet.Running] + c[fleet.Stopping]
	switch {
	case open > 0 && c[fleet.Failed] > 0:
		return badge{"bad", "✕", strconv.Itoa(c[fleet.Failed]) + " failed, goes on"}
	case c[fleet.Failed] > 0 && c[fleet.Done] == 0:
		return badge{"bad", "✕", "failed"}
	case c[fleet.Failed] > 0:
		return badge{"bad", "✕", strconv.Itoa(c[fleet.Failed]) + " failed"}
	case b.Cancelled && open > 0:
		return badge{"warn", "■", "stopping"}
	case c[fleet.Running]+c[fleet.Stopping] > 0:
		return jobBadge(fleet.Running)
	case open > 0 && c[fleet.Queued] == 0:
		return jobBadge(fleet.Scheduled)
	case open > 0:
		return jobBadge(fleet.Queued)
	case c[fleet.Cancelled] > 0:
		return jobBadge(fleet.Cancelled)
	}
	return jobBadge(fleet.Done)
}

// countsText is "2 running, 1 failed, 21 done", what needs a look first.
func countsText(counts map[fleet.JobState]int) string {
	text := ""
	for _, state := range []fleet.JobState{fleet.Failed, fleet.Running, fleet.Stopping, fleet.Queued, fleet.Scheduled, fleet.Cancelled, fleet.Done} {
		if n := counts[state]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += strconv.Itoa(n) + " " + jobBadge(state).Text
		}
	}
	return text
}

func (r reader) batches(open bool, offset int) (batchesBody, error) {
	batches, total, err := r.ctl.Batches(r.ctx, r.actor, control.BatchFilter{Open: open, Offset: offset, Limit: batchesPerPage})
	body := batchesBody{Operator: r.actor.Role.May(fleet.Operator), Open: open}
	for _, b := range batches {
		body.Rows = append(body.Rows, newBatchRow(b, r.now))
	}
	q := url.Values{}
	if open {
		q.Set("open", "1")
	}
	body.Pager = newPager("/batches", q, offset, batchesPerPage, len(batches), total)
	return body, err
}

func (b batchesBody) parts() []livePart {
	rows := []livePart{}
	for _, row := range b.Rows {
		rows = append(rows, livePart{ID: "batch-" + row.ID, Template: "batch-row", Data: row})
	}
	return []livePart{{ID: "batches", Template: "batch-rows", Data: b, Rows: rows}}
}

func showBatches(v *visit) error {
	body, err := v.reader().batches(v.field("open") != "", v.offset())
	if err != nil {
		return err
	}
	return v.render(http.StatusOK, "batches", page{Title: "Jobs", Nav: "batches", Live: "/events" + v.r.URL.RequestURI(), Body: body})
}

func batchesLive(v *visit) func(reader) (liveBody, error) {
	open, offset := v.field("open") != "", v.offset()
	return func(r reader) (liveBody, error) { return r.batches(open, offset) }
}
