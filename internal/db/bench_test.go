package db_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/db"
	"github.com/ingot-imaging/ingot/internal/db/dbtest"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// BenchmarkPages reads what pages show of a thousand machines while a hundred
// reports a second arrive. It says how long the slowest hundredth took.
func BenchmarkPages(b *testing.B) {
	for name, url := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { return filepath.Join(b.TempDir(), "ingot.db") },
		"postgres": func(b *testing.B) string { return databases(b)(b) },
	} {
		b.Run(name, func(b *testing.B) {
			d := open(b, url(b))
			fill(b, d, 1000, 1000)
			ctx, stop := context.WithCancel(context.Background())
			var wait sync.WaitGroup
			var reports times
			for agent := range 50 {
				wait.Go(func() { reportTwiceASecond(ctx, b, d, agent, &reports) })
			}
			var pages times
			for i := 0; b.Loop(); i++ {
				pages.measure(func() { page(b, d, i) })
			}
			stop()
			wait.Wait()
			b.ReportMetric(pages.slowest(), "page-p99-ms")
			b.ReportMetric(reports.slowest(), "report-p99-ms")
			b.ReportMetric(float64(len(reports.all))/b.Elapsed().Seconds(), "reports/s")
		})
	}
}

// BenchmarkSearch searches ten thousand machines.
func BenchmarkSearch(b *testing.B) {
	for name, url := range map[string]func(b *testing.B) string{
		"sqlite":   func(b *testing.B) string { return filepath.Join(b.TempDir(), "ingot.db") },
		"postgres": func(b *testing.B) string { return databases(b)(b) },
	} {
		b.Run(name, func(b *testing.B) {
			d := open(b, url(b))
			fill(b, d, 10_000, 0)
			for _, search := range []string{"lab-0777", "optiplex", "6d:00:1f", "nobody"} {
				b.Run(search, func(b *testing.B) {
					for b.Loop() {
						if _, _, err := d.Machines(b.Context(), control.MachineFilter{Search: search, Limit: 50}); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
			b.Run("alike", func(b *testing.B) {
				id := dbtest.Machine(7777).Identity
				for b.Loop() {
					if _, err := d.MachinesLike(b.Context(), id); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func fill(b *testing.B, d *db.DB, machines, jobs int) {
	b.Helper()
	err := d.InTx(b.Context(), func(ctx context.Context, r control.Records) error {
		for i := range machines {
			if err := r.PutMachine(ctx, dbtest.Machine(i)); err != nil {
				return err
			}
		}
		for i := range jobs {
			if err := r.PutJob(ctx, dbtest.Job("b-a", i)); err != nil {
				return err
			}
		}
		return r.PutBatch(ctx, dbtest.Batch("b-a", 1))
	})
	if err != nil {
		b.Fatal(err)
	}
}

// reportTwiceASecond is what an agent's reports do to the records.
func reportTwiceASecond(ctx context.Context, b *testing.B, d *db.DB, agent int, took *times) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	time.Sleep(time.Duration(agent) * 10 * time.Millisecond)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		took.measure(func() {
			err := d.InTx(context.Background(), func(ctx context.Context, r control.Records) error {
				j, err := r.Job(ctx, dbtest.Job("b-a", agent).ID)
				if err != nil {
					return err
				}
				j.Seq++
				j.Lease = time.Now().Add(wire.Lease)
				if err := r.PutJob(ctx, j); err != nil {
					return err
				}
				if err := r.TouchMachines(ctx, []control.Seen{{Machine: j.Machine, At: time.Now(), Addr: "10.0.0.1:1"}}); err != nil {
					return err
				}
				return r.AddJobLog(ctx, j.ID, 1, []wire.LogLine{{At: time.Now(), Text: "a line"}, {At: time.Now(), Text: "another"}}, 2000)
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
}

// page is one of several that people look at.
func page(b *testing.B, d *db.DB, i int) {
	ctx := context.Background()
	var err error
	switch i % 5 {
	case 0:
		_, _, err = d.Machines(ctx, control.MachineFilter{Limit: 50, Offset: i % 900})
	case 1:
		_, _, err = d.Machines(ctx, control.MachineFilter{Limit: 50, Search: fmt.Sprintf("lab-%03d", i%100)})
	case 2:
		_, _, err = d.Jobs(ctx, control.JobFilter{Batch: "b-a", Limit: 50})
	case 3:
		_, _, err = d.Batches(ctx, control.BatchFilter{Limit: 20})
	case 4:
		if _, err = d.JobCounts(ctx); err == nil {
			_, err = d.MachineCounts(ctx, time.Now().Add(-fleet.OnlineFor))
		}
	}
	if err != nil {
		b.Fatal(err)
	}
}

// times are how long something took, several times.
type times struct {
	mu  sync.Mutex
	all []time.Duration
}

func (t *times) measure(f func()) {
	start := time.Now()
	f()
	took := time.Since(start)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, took)
}

// slowest is what a hundredth took longer than, in milliseconds.
func (t *times) slowest() float64 {
	if len(t.all) == 0 {
		return 0
	}
	slices.Sort(t.all)
	return float64(t.all[len(t.all)*99/100].Microseconds()) / 1000
}
