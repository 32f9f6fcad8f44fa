package dbtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

func testRollback(t *testing.T, r control.Records) {
	ctx := background(t)
	m := Machine(1)
	must(t, r.PutMachine(ctx, m))
	broken := errors.New("broken")
	err := r.InTx(ctx, func(ctx context.Context, r control.Records) error {
		m := m
		m.Notes = "changed"
		must(t, r.PutMachine(ctx, m))
		must(t, r.PutMachine(ctx, Machine(2)))
		must(t, r.PutUser(ctx, fleet.User{Name: "anna"}))
		must(t, r.AddAudit(ctx, fleet.AuditEntry{Action: "x"}))
		return fmt.Errorf("in the end: %w", broken)
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	got(t, m)(r.Machine(ctx, m.ID))
	_, err = r.Machine(ctx, "m-000002")
	absent(t, err)
	_, err = r.User(ctx, "anna")
	absent(t, err)
	if log, err := r.Audit(ctx, control.Page{}); err != nil || len(log) > 0 {
		t.Errorf("%v, %v", log, err)
	}
	func() {
		defer func() { _ = recover() }()
		_ = r.InTx(ctx, func(ctx context.Context, r control.Records) error {
			must(t, r.PutMachine(ctx, Machine(3)))
			panic("f is broken")
		})
	}()
	must(t, r.PutMachine(ctx, Machine(4))) // nothing is held any more
	_, err = r.Machine(ctx, "m-000003")
	absent(t, err)
}

func testInside(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.InTx(ctx, func(ctx context.Context, in control.Records) error {
		must(t, in.PutMachine(ctx, Machine(1)))
		got(t, Machine(1))(in.Machine(ctx, "m-000001"))
		if _, total, err := in.Machines(ctx, control.MachineFilter{}); total != 1 || err != nil {
			t.Errorf("%d inside, %v", total, err)
		}
		_, err := r.Machine(ctx, "m-000001")
		absent(t, err) // outside
		if _, err := in.Machine(ctx, "m-none"); !errors.Is(err, control.ErrNoRecord) {
			t.Error(err)
		}
		return in.InTx(ctx, func(ctx context.Context, in control.Records) error { return in.PutMachine(ctx, Machine(2)) })
	}))
	if _, total, err := r.Machines(ctx, control.MachineFilter{}); total != 2 || err != nil {
		t.Errorf("%d, %v", total, err)
	}
}

// testNoLostUpdate has several goroutines count in one job.
func testNoLostUpdate(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.PutJob(ctx, Job("b-a", 1)))
	const writers, times = 6, 15
	var g errgroup.Group
	for range writers {
		g.Go(func() error {
			for range times {
				err := r.InTx(ctx, func(ctx context.Context, r control.Records) error {
					j, err := r.Job(ctx, "j-b-a-0001")
					if err != nil {
						return err
					}
					j.Seq++
					return r.PutJob(ctx, j)
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, g.Wait())
	j, err := r.Job(ctx, "j-b-a-0001")
	if err != nil || j.Seq != 7+writers*times {
		t.Errorf("counted to %d of %d, %v", j.Seq-7, writers*times, err)
	}
}

// testNoWriteSkew has two administrators remove one another at the same time: each
// looks whether the other is there, so that one stays.
func testNoWriteSkew(t *testing.T, r control.Records) {
	ctx := background(t)
	for range 10 {
		must(t, r.PutUser(ctx, fleet.User{Name: "anna", Role: fleet.Admin}))
		must(t, r.PutUser(ctx, fleet.User{Name: "bert", Role: fleet.Admin}))
		var g errgroup.Group
		for _, name := range []string{"anna", "bert"} {
			g.Go(func() error {
				return r.InTx(ctx, func(ctx context.Context, r control.Records) error {
					users, err := r.Users(ctx)
					if err != nil || len(users) < 2 {
						return err
					}
					return r.RemoveUser(ctx, name)
				})
			})
		}
		must(t, g.Wait())
		if users, err := r.Users(ctx); err != nil || len(users) != 1 {
			t.Fatalf("%d administrators are left, %v", len(users), err)
		}
	}
}

// testLongTransaction has one that touches every job among many that touch one
// each: it ends as well.
func testLongTransaction(t *testing.T, r control.Records) {
	ctx, cancel := context.WithTimeout(background(t), 20*time.Second)
	defer cancel()
	const jobs = 60
	for i := range jobs {
		must(t, r.PutJob(ctx, Job("b-a", i)))
	}
	var done atomic.Bool
	var short atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	for w := range 4 {
		g.Go(func() error {
			for n := w; !done.Load(); n++ {
				err := r.InTx(ctx, func(ctx context.Context, r control.Records) error {
					j, err := r.Job(ctx, Job("b-a", n%jobs).ID)
					if err != nil {
						return err
					}
					j.Counter++
					return r.PutJob(ctx, j)
				})
				if err != nil {
					return err
				}
				short.Add(1)
			}
			return nil
		})
	}
	g.Go(func() error {
		defer done.Store(true)
		return r.InTx(ctx, func(ctx context.Context, r control.Records) error {
			all, _, err := r.Jobs(ctx, control.JobFilter{Batch: "b-a"})
			for _, j := range all {
				j.State = fleet.Stopping
				err = errors.Join(err, r.PutJob(ctx, j))
			}
			return err
		})
	})
	must(t, g.Wait())
	counts, err := r.JobCounts(background(t))
	if err != nil || counts[fleet.Stopping] != jobs {
		t.Errorf("%v, %v", counts, err)
	}
}

// testReadersBesideWriters has readers see whole transactions alone, without waiting
// for those that run.
func testReadersBesideWriters(t *testing.T, r control.Records) {
	ctx := background(t)
	must(t, r.PutBatch(ctx, Batch("b-a", 1)))
	inside, read := make(chan struct{}), make(chan struct{})
	var wait sync.WaitGroup
	wait.Go(func() {
		err := r.InTx(ctx, func(ctx context.Context, r control.Records) error {
			for i := range 10 {
				if err := r.PutJob(ctx, Job("b-a", i)); err != nil {
					return err
				}
			}
			close(inside)
			<-read
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-inside
	if b, err := r.Batch(ctx, "b-a"); err != nil || len(b.Counts) > 0 {
		t.Errorf("%v, %v", b.Counts, err)
	}
	close(read)
	wait.Wait()
	if b, err := r.Batch(ctx, "b-a"); err != nil || b.Counts[fleet.Running] != 10 {
		t.Errorf("%v, %v", b.Counts, err)
	}
}

func testCancelled(t *testing.T, r control.Records) {
	ctx, cancel := context.WithCancel(background(t))
	err := r.InTx(ctx, func(ctx context.Context, r control.Records) error {
		must(t, r.PutMachine(ctx, Machine(1)))
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	_, err = r.Machine(background(t), "m-000001")
	absent(t, err)
	must(t, r.PutMachine(background(t), Machine(2)))
	if err := r.PutMachine(ctx, Machine(3)); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}
