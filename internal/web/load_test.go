package web_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/web/webtest"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// BenchmarkPages asks for pages of a server with 1,000 machines while 50 agents
// report 100 times a second, and 20 people watch. It reports the 99th percentile of
// the time that a page takes, in milliseconds.
func BenchmarkPages(b *testing.B) {
	room := webtest.New(b)
	admin, secret := room.Admin(b)
	room.AddImages()
	room.AddMachines(b, 100, 1000)
	spec := fleet.BatchSpec{Kind: wire.Deploy, Image: "lab-pc:v3"}
	var agents []*webtest.Agent
	for n := range 50 {
		a := room.Start(b, webtest.Inventory(2000+n))
		agents, spec.Machines = append(agents, a), append(spec.Machines, a.Machine)
	}
	if err := room.Control.Approve(b.Context(), admin, spec.Machines, nil); err != nil {
		b.Fatal(err)
	}
	batch, err := room.Control.Submit(b.Context(), admin, spec)
	if err != nil {
		b.Fatal(err)
	}
	for _, a := range agents {
		a.Take(b)
	}
	client := room.Client(secret)
	watching, leave := context.WithCancel(b.Context())
	defer leave()
	for range 20 {
		go room.Client(secret).Watch(watching, "/events/batches/"+batch.ID)
	}
	stop, ended := make(chan struct{}), make(chan struct{})
	go report(b, agents, stop, ended)
	pages := []string{"/", "/machines", "/machines?q=pc-05&sort=-seen", "/machines?group=room-7", "/machines/" + agents[0].Machine, "/batches", "/batches/" + batch.ID, "/jobs/" + agents[3].Job.ID, "/audit",
		"/deploy?image=lab-pc:v3&step=machines"}
	var took []time.Duration
	n := 0
	for b.Loop() {
		path := pages[n%len(pages)]
		n++
		start := time.Now()
		if got := client.Get(b, path); got.Status != 200 {
			b.Fatalf("%s: %d", path, got.Status)
		}
		took = append(took, time.Since(start))
	}
	close(stop)
	<-ended
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}

// report lets all agents together report 100 times a second.
func report(b *testing.B, agents []*webtest.Agent, stop, ended chan struct{}) {
	defer close(ended)
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-ticks.C:
			p := webtest.Half()
			p.Done += int64(n) << 20
			agents[n%len(agents)].Report(b, p)
		}
	}
}
