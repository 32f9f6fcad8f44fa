package room_test

import (
	"os"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
)

// TestCableIsPulled pulls the cable of PCs that deploy: connections stall, new ones get
// no answer. The jobs go on when it is in again, in the same attempt. With INGOT_LAB=1
// it is out for a minute, and the PCs are as patient as real ones.
func TestCableIsPulled(t *testing.T) {
	t.Parallel()
	out, pace := 3*time.Second, room.Hurry()
	if os.Getenv("INGOT_LAB") != "" {
		out, pace = time.Minute, room.Real()
	}
	s := serve(t)
	disk := s.image("lab:v1", 1)
	cable, err := room.NewCable(s.Address())
	s.must(err)
	t.Cleanup(func() { cable.Close() })
	var pcs []*room.PC
	for n := range 3 {
		pc := s.pc(n)
		pc.Pace = pace
		pc.Through(cable)
		pcs = append(pcs, pc)
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
	cable.Pull()
	for _, release := range free {
		release()
	}
	time.Sleep(out)
	for _, j := range s.jobs(batch.ID) {
		if j.State != fleet.Running {
			t.Errorf("while the cable is out, job %s is %s: %s", j.ID, j.State, j.Why)
		}
	}
	cable.Plug()
	for _, j := range s.state(batch.ID, fleet.Done) {
		if j.Attempt != 1 {
			t.Errorf("job %s took %d attempts", j.ID, j.Attempt)
		}
	}
	for _, pc := range pcs {
		s.holds(pc, disk)
	}
}

// TestServerStaysAway: a PC gives up when its server is away for too long, which is
// worth a retry: the job waits, and the second attempt is done.
func TestServerStaysAway(t *testing.T) {
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	pc := s.pc(1)
	pc.Pace.GiveUp = 2 * time.Second
	ids := s.approved(pc)
	reached, release := pc.Disk.Hold(0)
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached)
	s.Kill()
	release()
	time.Sleep(4 * time.Second)
	s.must(s.Start())
	j := s.state(batch.ID, fleet.Done)[0]
	if j.Attempt != 2 {
		t.Errorf("the job took %d attempts", j.Attempt)
	}
	s.holds(pc, disk)
}
