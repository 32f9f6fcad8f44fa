package control_test

import (
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// BenchmarkReports is what one report of a running job costs, with as many agents at
// work as one room has, each reporting as often as it does.
func BenchmarkReports(b *testing.B) {
	records, err := db.Open(b.Context(), "", nil)
	if err != nil {
		b.Fatal(err)
	}
	defer records.Close()
	s := &server{records: records, images: newImages(), log: &lockedBuffer{}, folder: b.TempDir(), now: time.Now()}
	if s.Control, err = control.New(control.Config{Records: records, Images: s.images, Profiles: s.folder, Clock: s.clock, NextWait: 1}); err != nil {
		b.Fatal(err)
	}
	const machines = 50
	var agents []*agent
	var ids []string
	for n := range machines {
		a := s.agent(n)
		a.boot = "boot-bench"
		if _, err := a.helloFor(b); err != nil {
			b.Fatal(err)
		}
		agents, ids = append(agents, a), append(ids, a.machine)
	}
	if err := s.Approve(b.Context(), admin(), ids, nil); err != nil {
		b.Fatal(err)
	}
	if _, err := s.Submit(b.Context(), operator(), deploy(agents...)); err != nil {
		b.Fatal(err)
	}
	for _, a := range agents {
		order, err := s.Next(b.Context(), a.session, "")
		if err != nil || order.Job == nil {
			b.Fatal(order, err)
		}
		a.job = order.Job
	}
	seq := int64(0)
	for b.Loop() {
		a := agents[seq%machines]
		seq++
		s.wait(wire.ReportEvery / machines)
		report := wire.Report{Attempt: 1, Seq: seq, Progress: wire.Progress{Phase: "deploy", Done: seq}}
		if _, err := s.Report(b.Context(), a.session, a.job.ID, report); err != nil {
			b.Fatal(err)
		}
	}
}

func (a *agent) helloFor(b *testing.B) (wire.Welcome, error) {
	w, err := a.s.Hello(b.Context(), wire.Hello{Protocol: wire.Version, Boot: a.boot, Inventory: inventory(a.n)}, "192.0.2.1")
	a.session, a.machine = w.Session, w.Machine
	return w, err
}
