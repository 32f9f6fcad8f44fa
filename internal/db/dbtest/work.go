package dbtest

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Job is the i-th job of a batch.
func Job(batch string, i int) fleet.Job {
	return fleet.Job{
		ID: fmt.Sprintf("j-%s-%04d", batch, i), Batch: batch, Machine: fmt.Sprintf("m-%06d", i), Name: fmt.Sprintf("lab-%04d", i), Kind: wire.Deploy,
		Order: i, State: fleet.Running, Why: "runs", Hostname: "LAB1", Counter: 3, Attempt: 1, Boot: "b1", Lease: at(90 + i), Seq: 7,
		Progress: wire.Progress{Phase: "deploy", Done: 1 << 40, Total: 2 << 40, Rate: 100 << 20, Left: -1, Written: int64(i)},
		Result: &wire.Result{Attempt: 1, Outcome: wire.Failed, Exit: 4, Error: "a <b> & \"c\"", Target: wire.Unfinished, Retry: true,
			Time: wire.Time{Total: 1.25, Network: 0.5}, Detail: json.RawMessage(`{"volumes":[1,2,"x"]}`)},
		Disk: "/dev/nvme0n1", TokenHash: []byte{0, 1, 0xff, byte(i)}, Made: at(0), Started: at(1),
	}
}

// Batch is a batch of a name, made so many seconds after the others.
func Batch(id string, seconds int) fleet.Batch {
	return fleet.Batch{ID: id, MadeBy: "anna", Made: at(seconds), Counts: map[fleet.JobState]int{}, Spec: fleet.BatchSpec{
		Kind: wire.Deploy, Machines: []string{"m-000001"}, Image: "lab-pc:v3", ImageID: strings.Repeat("ab", 32), Deploy: wire.DeployOptions{Grow: "2", Values: map[string]string{"a": "b"}},
		Then: wire.Reboot, At: at(seconds + 60), Rate: 1 << 30, Limit: 8, Attempts: 3,
	}}
}

func testBatches(t *testing.T, r control.Records) {
	ctx := background(t)
	a, b, c := Batch("b-a", 1), Batch("b-b", 2), Batch("b-c", 1)
	b.Counts, b.Bytes = map[fleet.JobState]int{fleet.Failed: 77}, 99 // not kept
	for _, batch := range []fleet.Batch{a, b, c} {
		must(t, r.PutBatch(ctx, batch))
	}
	for i := range 4 {
		j := Job("b-b", i)
		if i == 3 {
			j.State = fleet.Done
		}
		must(t, r.PutJob(ctx, j))
	}
	b.Counts, b.Bytes = map[fleet.JobState]int{fleet.Running: 3, fleet.Done: 1}, 0+1+2+3
	got(t, b)(r.Batch(ctx, "b-b"))
	a.Cancelled, a.Ended = true, at(50)
	must(t, r.PutBatch(ctx, a))
	check := func(filter control.BatchFilter, want int, page ...fleet.Batch) {
		t.Helper()
		batches, total, err := r.Batches(ctx, filter)
		if err != nil || total != want || len(batches)+len(page) > 0 && !reflect.DeepEqual(batches, page) {
			t.Errorf("%+v: %d, %+v, %v", filter, total, batches, err)
		}
	}
	check(control.BatchFilter{}, 3, b, c, a)
	check(control.BatchFilter{Open: true}, 2, b, c)
	check(control.BatchFilter{Offset: 1, Limit: 1}, 3, c)
	check(control.BatchFilter{Offset: 9}, 3)
}

func testJob(t *testing.T, r control.Records) {
	ctx := background(t)
	j := Job("b-a", 1)
	must(t, r.PutJob(ctx, j))
	got(t, j)(r.Job(ctx, j.ID))
	j.State, j.Result, j.TokenHash, j.Lease, j.Ended = fleet.Cancelled, nil, nil, time.Time{}, at(100)
	must(t, r.PutJob(ctx, j))
	got(t, j)(r.Job(ctx, j.ID))
	got(t, map[fleet.JobState]int{fleet.Cancelled: 1})(r.JobCounts(ctx))
}

func testJobLists(t *testing.T, r control.Records) {
	ctx := background(t)
	for i, state := range []fleet.JobState{fleet.Done, fleet.Failed, fleet.Queued, fleet.Running, fleet.Scheduled, fleet.Stopping} {
		for _, batch := range []string{"b-a", "b-b"} {
			j := Job(batch, i)
			j.Machine, j.State, j.Order, j.Made = "m-1", state, 5-i, at(i%3)
			must(t, r.PutJob(ctx, j))
		}
	}
	other := Job("b-c", 9)
	must(t, r.PutJob(ctx, other))
	ids := func(jobs []fleet.Job) string {
		return strings.Join(each(jobs, func(j fleet.Job) string { return j.ID[4:5] + j.ID[len(j.ID)-1:] }), " ")
	}
	for _, test := range []struct {
		filter control.JobFilter
		total  int
		want   string
	}{
		{control.JobFilter{Batch: "b-a"}, 6, "a5 a4 a3 a2 a1 a0"},
		{control.JobFilter{Batch: "b-a", States: []fleet.JobState{fleet.Done, fleet.Failed}}, 2, "a1 a0"},
		{control.JobFilter{Batch: "b-a", Offset: 1, Limit: 2}, 6, "a4 a3"},
		{control.JobFilter{Machine: "m-1", Limit: 5}, 12, "b5 b2 a5 a2 b4"},
		{control.JobFilter{States: []fleet.JobState{fleet.Running}}, 3, "c9 b3 a3"},
		{control.JobFilter{Machine: "m-2"}, 0, ""},
		{control.JobFilter{Offset: 12}, 13, "a0"},
	} {
		jobs, total, err := r.Jobs(ctx, test.filter)
		if err != nil || total != test.total || ids(jobs) != test.want && test.filter.Offset != 12 || test.filter.Offset == 12 && len(jobs) != 1 {
			t.Errorf("%+v: %d, %q, %v", test.filter, total, ids(jobs), err)
		}
	}
	open, err := r.OpenJobs(ctx, "m-1")
	if err != nil || ids(open) != "a3 b3 a4 b4 a5 a2 b5 b2" {
		t.Errorf("%q, %v", ids(open), err)
	}
	got(t, map[fleet.JobState]int{fleet.Done: 2, fleet.Failed: 2, fleet.Queued: 2, fleet.Running: 3, fleet.Scheduled: 2, fleet.Stopping: 2})(r.JobCounts(ctx))
}

func testDueJobs(t *testing.T, r control.Records) {
	ctx := background(t)
	for i := range 6 {
		j := Job("b-a", i)
		switch i {
		case 3:
			j.State = fleet.Done
		case 4:
			j.State, j.WakeAt = fleet.Queued, time.Time{}
		case 5:
			j.State, j.NotBefore = fleet.Scheduled, at(1)
		}
		must(t, r.PutJob(ctx, j))
	}
	due := func(now, limit int) string {
		jobs, err := r.DueJobs(ctx, at(now), limit)
		must(t, err)
		return strings.Join(each(jobs, func(j fleet.Job) string { return j.ID[len(j.ID)-1:] }), " ")
	}
	if due(0, 9) != "" || due(1, 9) != "5" || due(91, 9) != "5 0 1" || due(999, 9) != "5 0 1 2" || due(999, 2) != "5 0" {
		t.Errorf("%q %q %q %q", due(0, 9), due(1, 9), due(91, 9), due(999, 9))
	}
}

func testJobLog(t *testing.T, r control.Records) {
	ctx := background(t)
	line := func(i int) wire.LogLine { return wire.LogLine{At: at(i), Text: fmt.Sprintf("line %d", i)} }
	for i := range 20 {
		must(t, r.AddJobLog(ctx, "j-1", 1+i/10, []wire.LogLine{line(2 * i), line(2*i + 1)}, 15))
		must(t, r.AddJobLog(ctx, "j-2", 1, []wire.LogLine{line(i)}, 100))
	}
	must(t, r.AddJobLog(ctx, "j-1", 1, nil, 15))
	log, err := r.JobLog(ctx, "j-1", 0, 100)
	must(t, err)
	if len(log) != 15 || log[0].Text != "line 25" || log[14].Text != "line 39" || log[0].Attempt != 2 || !log[0].At.Equal(at(25)) {
		t.Errorf("%+v", log)
	}
	for i := 1; i < len(log); i++ {
		if log[i].ID <= log[i-1].ID {
			t.Errorf("IDs do not rise: %+v", log)
		}
	}
	rest, err := r.JobLog(ctx, "j-1", log[4].ID, 3)
	if err != nil || !reflect.DeepEqual(rest, log[5:8]) {
		t.Errorf("%+v, %v", rest, err)
	}
	if log, err := r.JobLog(ctx, "j-2", 0, 0); err != nil || len(log) != 20 {
		t.Errorf("%d lines, %v", len(log), err)
	}
	if log, err := r.JobLog(ctx, "j-3", 0, 10); err != nil || len(log) != 0 {
		t.Errorf("%d lines, %v", len(log), err)
	}
}
