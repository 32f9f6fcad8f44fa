package web

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestGolden compares parts of pages with what is in testdata; INGOT_UPDATE=1 writes
// it. They are made of plain values: no server is needed.
func TestGolden(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	job := fleet.Job{ID: "j-1", Batch: "b-1", Machine: "m-1", Name: "lab-<07>", Hostname: "LAB07", Kind: wire.Deploy, State: fleet.Running, Attempt: 2, Made: now.Add(-5 * time.Minute), Started: now.Add(-3 * time.Minute),
		Progress: wire.Progress{Phase: "writing", Done: 19 << 30, Total: 38 << 30, Rate: 412 << 20, Left: 47}}
	failed := job
	failed.State, failed.Ended, failed.Why = fleet.Failed, now.Add(-time.Minute), "failed"
	failed.Result = &wire.Result{Outcome: wire.Failed, Error: "write /dev/sda: input/output error", Hint: "Replace the disk.", Target: wire.Unfinished}
	done := job
	done.State, done.Ended = fleet.Done, now.Add(-time.Minute)
	done.Result = &wire.Result{Outcome: wire.Done, Target: wire.Complete, Progress: wire.Progress{Written: 34 << 30, Same: 4 << 30, Fetched: 18 << 30}}
	queued := job
	queued.State, queued.Attempt, queued.Why, queued.Started, queued.Progress = fleet.Queued, 0, "waits for the machine to start", time.Time{}, wire.Progress{}
	machine := fleet.Machine{ID: "m-1", Name: "lab-07", State: wire.Pending, Groups: []string{"lab & co"}, LastSeen: now.Add(-time.Hour), Addr: "10.1.0.7", Conflicts: []string{"the board of lab-08"}}
	machine.Inventory.Maker, machine.Inventory.Model, machine.Inventory.Serial = "Dell Inc.", "OptiPlex 7090", "5XK2R93"
	machine.Inventory.Disks = []wire.Disk{{Size: 512110190592, Health: "failing: 300 bad sectors"}}
	plan := preview{Erases: true, Stops: true, Bad: 1, Rows: []planRow{newPlanRow(control.Planned{Machine: "m-1", Name: "lab-07", Hostname: "LAB07", Disk: &wire.Disk{Path: "/dev/sda", Model: "PM9A1", Size: 512110190592, Holds: "GPT: ntfs 'Windows'"},
		Problems: []string{"the image needs 700 GiB"}, Warnings: []string{"it is off"}})}}
	all := loadViews()
	for name, c := range map[string]struct {
		view, part string
		data       any
	}{
		"job-running": {"batch", "job-row", newJobRow(job, now)},
		"job-failed":  {"batch", "job-row", newJobRow(failed, now)},
		"job-done":    {"batch", "job-row", newJobRow(done, now)},
		"job-queued":  {"batch", "job-row", newJobRow(queued, now)},
		"machine":     {"machines", "machine-row-check", newMachineRow(machine, now)},
		"plan":        {"deploy", "plan", plan},
		"first-steps": {"overview", "steps", overviewBody{Operator: true, Steps: &firstSteps{Seen: true}}},
	} {
		got, err := all.html(c.view, c.part, c.data)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+".html")
		if os.Getenv("INGOT_UPDATE") != "" {
			if err := os.WriteFile(file, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestStates holds that nothing looks better than it is.
func TestStates(t *testing.T) {
	for _, c := range []struct {
		counts    map[fleet.JobState]int
		cancelled bool
		want      string
	}{
		{map[fleet.JobState]int{fleet.Done: 3}, false, "good done"},
		{map[fleet.JobState]int{fleet.Done: 99, fleet.Failed: 1}, false, "bad 1 failed"},
		{map[fleet.JobState]int{fleet.Done: 99, fleet.Failed: 1, fleet.Running: 1}, false, "bad 1 failed, goes on"},
		{map[fleet.JobState]int{fleet.Failed: 2}, false, "bad failed"},
		{map[fleet.JobState]int{fleet.Done: 3, fleet.Cancelled: 1}, true, "off cancelled"},
		{map[fleet.JobState]int{fleet.Running: 1, fleet.Queued: 4}, false, "busy running"},
		{map[fleet.JobState]int{fleet.Running: 1}, true, "warn stopping"},
		{map[fleet.JobState]int{fleet.Queued: 4}, false, "wait waiting"},
		{map[fleet.JobState]int{fleet.Scheduled: 4}, false, "wait scheduled"},
	} {
		b := batchBadge(fleet.Batch{Counts: c.counts, Cancelled: c.cancelled})
		if got := b.Class + " " + b.Text; got != c.want {
			t.Errorf("%v is %q, want %q", c.counts, got, c.want)
		}
	}
	for _, s := range []fleet.JobState{"", "new", fleet.Queued, fleet.Running, fleet.Stopping, fleet.Failed, fleet.Cancelled, fleet.Scheduled} {
		if jobBadge(s).Class == "good" {
			t.Errorf("%q looks as if it was done", s)
		}
	}
}
