package room_test

import (
	"os"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// writing and ending are moments that a disk knows: the first content is written, and
// all but what makes the disk start.
const (
	writing room.Moment = "content is being written"
	ending  room.Moment = "only the start of the disk is missing"
)

// TestPowerCuts cuts the power of a PC at each moment of a job. The server says what is
// so while the PC is off, the disk bears its marker as long as it is not whole, and
// after the next start every job ends as done.
func TestPowerCuts(t *testing.T) {
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	cases := []struct {
		at       room.Moment
		state    fleet.JobState // while the PC is off
		marked   bool           // its disk
		attempts int            // in the end
	}{
		{room.Idle, fleet.Queued, false, 1},
		{room.Ordered, fleet.Running, false, 2},
		{room.Planned, fleet.Running, false, 2},
		{writing, fleet.Running, true, 2},
		{ending, fleet.Running, true, 2},
		{room.Written, fleet.Running, false, 2},
		{room.ResultSent, fleet.Done, false, 1},
		{room.Leaving, fleet.Done, false, 1},
	}
	var pcs []*room.PC
	for n := range cases {
		pcs = append(pcs, s.pc(n))
	}
	ids := s.approved(pcs...)
	held := map[room.Moment]<-chan struct{}{}
	for n, c := range cases {
		switch c.at {
		case room.Idle:
			pcs[n].PowerOff()
		case writing:
			held[c.at], _ = pcs[n].Disk.Hold(diskSize / 2)
		case ending:
			held[c.at], _ = pcs[n].Disk.Hold(diskSize - 512<<10)
		default:
			pcs[n].CutAt(c.at)
		}
	}
	batch := s.submit(message.Spec{Kind: wire.Deploy, Image: "lab:v1", Machines: ids, Then: wire.Reboot})
	for n, c := range cases {
		if reached := held[c.at]; reached != nil {
			s.reached(reached)
			pcs[n].PowerOff()
		}
	}
	s.cutOff(pcs...)
	for n, j := range s.jobs(batch.ID) {
		c := cases[n]
		if j.State != c.state {
			t.Errorf("power cut when %s: the job is %s (%s), not %s", c.at, j.State, j.Why, c.state)
		}
		s.marked(pcs[n], c.marked, string(c.at))
	}
	for n, c := range cases {
		if c.state != fleet.Done {
			s.boot(pcs[n])
		}
	}
	for n, j := range s.state(batch.ID, fleet.Done) {
		if j.Attempt != cases[n].attempts {
			t.Errorf("power cut when %s: it took %d attempts, not %d", cases[n].at, j.Attempt, cases[n].attempts)
		}
	}
	s.cutOff(pcs...) // each starts anew by itself
	for n, pc := range pcs {
		if cases[n].state != fleet.Done {
			s.boot(pc)
		}
	}
	for n, pc := range pcs {
		if cases[n].state != fleet.Done {
			s.holds(pc, disk)
		}
	}
	if entries := s.audit("job.again"); len(entries) != 5 || !strings.Contains(entries[0].Detail, "the machine started again") {
		t.Errorf("the audit log has of lost attempts: %+v", entries)
	}
}

// marked checks whether the disk of a PC that is off bears the marker of a deploy.
func (s *site) marked(pc *room.PC, want bool, when string) {
	s.t.Helper()
	what, err := deploy.Unfinished(pc.Disk.Platter())
	s.must(err)
	if (what != "") != want {
		s.t.Errorf("power cut when %s: the marker of the disk is %q", when, what)
	}
}

// TestPowerCutsBeforeWork: a PC that is cut off while it says hello, or waits to be
// approved, is the same machine at its next start.
func TestPowerCutsBeforeWork(t *testing.T) {
	t.Parallel()
	s := serve(t)
	pc := s.pc(1)
	pc.CutAt(room.HelloSent)
	s.boot(pc)
	s.cutOff(pc)
	first := s.machine(pc)
	if first.State != wire.Pending {
		t.Fatalf("a PC that said hello is %q", first.State)
	}
	s.boot(pc)
	s.until("the PC waits again", func() bool { return pc.Doing().Session != "" })
	pc.PowerOff()
	s.must(s.api.Approve(t.Context(), []string{first.ID}, nil))
	s.image("lab:v1", 1)
	batch := s.deploy("lab:v1", first.ID)
	if j := s.jobs(batch.ID)[0]; j.State != fleet.Queued || j.Why != "waits for the machine" {
		t.Errorf("the job of a PC that is off is %s: %s", j.State, j.Why)
	}
	s.boot(pc)
	s.state(batch.ID, fleet.Done)
	if now := s.machine(pc); now.ID != first.ID {
		t.Errorf("the PC was %s and is %s", first.ID, now.ID)
	}
}

// TestLeaseEnds leaves a PC off: its lease ends, the job waits, says why, and is done
// at the next start. A lease is long.
func TestLeaseEnds(t *testing.T) {
	if os.Getenv("INGOT_LAB") == "" {
		t.Skip("takes two minutes; INGOT_LAB=1 has it")
	}
	t.Parallel()
	s := serve(t)
	disk := s.image("lab:v1", 1)
	pc := s.pc(1)
	ids := s.approved(pc)
	reached, _ := pc.Disk.Hold(1 << 20)
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached)
	pc.PowerOff()
	var j fleet.Job
	for n := 0; n < 2000 && j.State != fleet.Queued; n++ {
		j = s.jobs(batch.ID)[0]
		s.pause()
	}
	if j.State != fleet.Queued || !strings.Contains(j.Why, "no word for 90 s") {
		t.Fatalf("the job is %s: %s", j.State, j.Why)
	}
	s.boot(pc)
	s.state(batch.ID, fleet.Done)
	s.holds(pc, disk)
}
