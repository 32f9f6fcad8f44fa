package room_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// TestCancel cancels a deploy that writes: the job is cancelled and says so, the disk
// bears its marker, and another deploy finishes it.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	pc := s.pc(1)
	ids := s.approved(pc)
	reached, release := pc.Disk.Hold(diskSize / 2)
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached)
	s.must(s.api.Cancel(t.Context(), batch.ID))
	s.state(batch.ID, fleet.Stopping)
	s.until("the PC has heard of it", func() bool { return pc.Doing().Stopping })
	release()
	j := s.state(batch.ID, fleet.Cancelled)[0]
	if j.Result == nil || j.Result.Target != wire.Unfinished || !strings.Contains(j.Why, "anna") && !strings.Contains(j.Why, "room") {
		t.Errorf("the job is cancelled: %s, %+v", j.Why, j.Result)
	}
	s.marked(pc, true, "cancelled")
	page, err := s.Page.Get(t.Context(), "/jobs/"+j.ID)
	s.must(err)
	if !strings.Contains(page, "ancelled") {
		t.Errorf("the job's page does not say that it was cancelled:\n%s", page)
	}
	j = s.state(s.deploy("lab:v1", ids...).ID, fleet.Done)[0]
	if j.Result.Progress.Same == 0 {
		t.Errorf("nothing of what was written was found again: %+v", j.Result.Progress)
	}
	s.holds(pc, disk)
}

// TestFailureIsShown deploys an image with a damaged pack: the job has failed wherever
// somebody looks, and nowhere anything else.
func TestFailureIsShown(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.image("lab:v1", 1)
	s.damage()
	pc := s.pc(1)
	ids := s.approved(pc)
	batch := s.deploy("lab:v1", ids...)
	j := s.state(batch.ID, fleet.Failed)[0]
	if j.Result == nil || j.Result.Outcome != wire.Failed || j.Result.Error == "" || j.Attempt != 1 {
		t.Errorf("a damaged image: %+v", j)
	}
	s.marked(pc, true, "damaged")
	for _, path := range []string{"/", "/batches", "/batches/" + batch.ID, "/jobs/" + j.ID, "/machines/" + ids[0]} {
		page, err := s.Page.Get(t.Context(), path)
		s.must(err)
		if !strings.Contains(strings.ToLower(page), "failed") {
			t.Errorf("%s does not say that the job failed:\n%s", path, page)
		}
	}
	for _, args := range [][]string{{"jobs", "list"}, {"jobs", "show", j.ID}, {"jobs", "show", batch.ID}} {
		out, err := s.Run(t.Context(), args...)
		s.must(err)
		if !strings.Contains(out, "failed") || !strings.Contains(out, j.Result.Error[:20]) {
			t.Errorf("ingot %v does not say that the job failed, and why:\n%s", args, out)
		}
	}
	_, err := s.Run(t.Context(), "jobs", "deploy", "lab:v1", "--on", ids[0], "--yes", "--wait")
	if err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("ingot jobs deploy --wait of a damaged image: %v", err)
	}
	if failed := s.metric(`ingot_jobs_ended_total{state="failed"}`); failed != 2 {
		t.Errorf("the server counts %v failed jobs", failed)
	}
}

// damage changes bytes in the middle of every pack.
func (s *site) damage() {
	s.t.Helper()
	changed := 0
	err := filepath.WalkDir(filepath.Join(s.Folder, "store", "packs"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i := range data[:len(data)/2] {
			data[len(data)/4+i] ^= 0x5a
		}
		changed++
		return os.WriteFile(path, data, 0o600)
	})
	s.must(err)
	if changed == 0 {
		s.t.Fatal("there are no packs")
	}
}
