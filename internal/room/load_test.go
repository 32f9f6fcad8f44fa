package room_test

import (
	"context"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
)

// What a server may take, in this small measure on any machine. The bars for a room of
// 50 and a fleet of 1,000 are held by bench/room -full.
const (
	maxMemory = 300 << 20
	maxPage   = 2 * time.Second
)

// TestLoad has PCs report while people look at pages, and then deploy at once.
func TestLoad(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.image("lab:v1", 1)
	s.must(s.Register(t.Context(), 1000, 60))
	var pcs []*room.PC
	var free []func()
	for n := range 10 {
		pc, err := room.NewPC(s.Server, n, room.DiskOf(room.NewDiscarding(diskSize)))
		s.must(err)
		pc.Blank = true
		pc.Pace.Report = 500 * time.Millisecond
		_, release := pc.Disk.Hold(0)
		pcs, free = append(pcs, pc), append(free, release)
	}
	s.pcs = pcs
	ids, err := s.Enter(t.Context(), pcs)
	s.must(err)
	batch := s.deploy("lab:v1", ids...)
	s.state(batch.ID, fleet.Running)
	s.until("all PCs have their job", func() bool {
		for _, pc := range pcs {
			if pc.Doing().Job == nil {
				return false
			}
		}
		return true
	})
	watching, leave := context.WithCancel(t.Context())
	defer leave()
	go s.Page.Watch(watching, "/events/batches/"+batch.ID)
	stop := room.Reporting(t.Context(), pcs, 100*time.Millisecond)
	took, err := s.Page.Time(t.Context(), 2*time.Second, "/", "/machines", "/batches/"+batch.ID)
	s.must(err)
	reports, err := stop()
	s.must(err)
	leave()
	if p99 := room.Percentile(took, 99); p99 > maxPage {
		t.Errorf("the 99th percentile of %d pages is %v", len(took), p99)
	}
	if reports < 50 {
		t.Errorf("only %d reports were taken", reports)
	}
	for _, release := range free {
		release()
	}
	s.state(batch.ID, fleet.Done)
	_, most, err := s.Memory()
	s.must(err)
	if most > maxMemory {
		t.Errorf("the server had %d MiB", most>>20)
	}
	t.Logf("%d pages: p50 %v, p99 %v; %d reports; the server had %d MiB at most", len(took), room.Percentile(took, 50), room.Percentile(took, 99), reports, most>>20)
}
