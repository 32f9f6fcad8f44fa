package room_test

import (
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
)

// TestServerIsKilled kills the server three times while PCs write: at different bytes
// for each. Every job ends as done in its first attempt, and no PC writes again what
// it had.
func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	var pcs []*room.PC
	for n := range 5 {
		pcs = append(pcs, s.pc(n))
	}
	ids := s.approved(pcs...)
	var free []func()
	var reached []<-chan struct{}
	for n, pc := range pcs {
		here, release := pc.Disk.Hold(int64(n) << 20)
		reached, free = append(reached, here), append(free, release)
	}
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached...)
	for n := range 3 {
		s.Kill()
		free[n]()
		time.Sleep(300 * time.Millisecond) // the PCs notice
		s.must(s.Start())
		time.Sleep(300 * time.Millisecond)
	}
	free[3]()
	free[4]()
	for _, j := range s.state(batch.ID, fleet.Done) {
		if j.Attempt != 1 {
			t.Errorf("job %s took %d attempts", j.ID, j.Attempt)
		}
	}
	for _, pc := range pcs {
		s.holds(pc, disk)
		if most := int64(diskSize + 2<<20); pc.Disk.Written() > most {
			t.Errorf("PC %s wrote %d bytes for a disk of %d", pc.Serial(), pc.Disk.Written(), diskSize)
		}
	}
	s.must(s.Check(t.Context()))
}

// TestServerIsKilledAsWorkEnds kills the server while results come in: what it said yes
// to is there, and nothing is done twice.
func TestServerIsKilledAsWorkEnds(t *testing.T) {
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	var pcs []*room.PC
	for n := range 6 {
		pcs = append(pcs, s.pc(n))
	}
	ids := s.approved(pcs...)
	batch := s.deploy("lab:v1", ids...)
	seen := map[string]bool{}
	for range 4 {
		time.Sleep(150 * time.Millisecond)
		for _, j := range s.jobs(batch.ID) {
			if j.State == fleet.Done {
				seen[j.ID] = true
			}
		}
		s.Kill()
		s.must(s.Start())
		for _, j := range s.jobs(batch.ID) {
			if seen[j.ID] && j.State != fleet.Done {
				t.Errorf("job %s was done, and is %s after a restart", j.ID, j.State)
			}
		}
	}
	for _, j := range s.state(batch.ID, fleet.Done) {
		if j.Attempt != 1 {
			t.Errorf("job %s took %d attempts", j.ID, j.Attempt)
		}
	}
	for _, pc := range pcs {
		s.holds(pc, disk)
	}
}
