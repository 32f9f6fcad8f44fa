package room

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ingot-imaging/ingot/internal/apiclient"
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// Register lets n PCs say hello once, from the number first on, and approves them.
// They are switched off again.
func (s *Server) Register(ctx context.Context, first, n int) error {
	disk := DiskOf(NewDiscarding(256e9))
	for i := range n {
		pc, err := NewPC(s, first+i, disk)
		if err != nil {
			return err
		}
		secret, err := s.Enrol(ctx, pc.Inventory.MACs[0])
		if err != nil {
			return err
		}
		a := newAgent(pc, rand.Text(), secret)
		err = a.hello(ctx)
		a.close()
		if err != nil {
			return fmt.Errorf("PC %d says hello: %w", first+i, err)
		}
		if i%100 < 99 && i < n-1 {
			continue
		}
		if _, err := s.ApproveAll(ctx); err != nil { // before so many wait that some are forgotten
			return err
		}
	}
	return nil
}

// ApproveAll lets in everybody who waits, and returns the IDs of those.
func (s *Server) ApproveAll(ctx context.Context) (ids []string, err error) {
	c, err := s.Client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	waiting, err := c.Machines(ctx, control.MachineFilter{State: wire.Pending})
	if err != nil || len(waiting) == 0 {
		return nil, err
	}
	for _, m := range waiting {
		ids = append(ids, m.ID)
	}
	return ids, c.Approve(ctx, ids, nil)
}

// Enter boots PCs, approves them, and returns their IDs in their order.
func (s *Server) Enter(ctx context.Context, pcs []*PC) ([]string, error) {
	for _, pc := range pcs {
		if err := pc.Boot(ctx); err != nil {
			return nil, err
		}
	}
	for _, pc := range pcs {
		for pc.Doing().Session == "" {
			if err := errors.Join(pc.Err(), ctx.Err()); err != nil {
				return nil, err
			}
			sleep(ctx, 10*time.Millisecond)
		}
	}
	if _, err := s.ApproveAll(ctx); err != nil {
		return nil, err
	}
	c, err := s.Client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	return idsOf(ctx, c, pcs)
}

func idsOf(ctx context.Context, c *apiclient.Client, pcs []*PC) ([]string, error) {
	all, err := c.Machines(ctx, control.MachineFilter{})
	if err != nil {
		return nil, err
	}
	bySerial := map[string]string{}
	for _, m := range all {
		bySerial[m.Inventory.Serial] = m.ID
	}
	var ids []string
	for _, pc := range pcs {
		ids = append(ids, bySerial[pc.Serial()])
	}
	return ids, nil
}

// Reporting has PCs, all of which have a job that is held up, report progress as if
// it went on. stop ends it, and returns how many reports were taken.
func Reporting(ctx context.Context, pcs []*PC, every time.Duration) (stop func() (taken int64, err error)) {
	ctx, cancel := context.WithCancel(ctx)
	var sent atomic.Int64
	var running sync.WaitGroup
	failed := make(chan error, len(pcs))
	for n, pc := range pcs {
		running.Go(func() {
			sleep(ctx, every*time.Duration(n)/time.Duration(len(pcs))) // a room does not report at one moment
			if err := pc.pretend(ctx, every, &sent); err != nil && ctx.Err() == nil {
				failed <- err
			}
		})
	}
	return func() (int64, error) {
		cancel()
		running.Wait()
		close(failed)
		return sent.Load(), <-failed
	}
}

// pretend reports progress again and again.
func (pc *PC) pretend(ctx context.Context, every time.Duration, sent *atomic.Int64) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for seq := int64(1_000_000); ; seq++ { // later than what the PC itself says
		pc.mu.Lock()
		a := pc.agent
		pc.mu.Unlock()
		doing := a.now()
		if doing.Job == nil {
			return fmt.Errorf("PC %s has no job", pc.Serial())
		}
		done := (seq - 1_000_000) << 24
		report := wire.Report{Attempt: doing.Job.Attempt, Seq: seq, Progress: wire.Progress{
			Phase: "deploy", Done: done, Total: 1 << 40, Rate: 1 << 25, Left: 600, Fetched: done / 2, Written: done,
		}}
		if seq%20 == 0 {
			report.Log = []wire.LogLine{{At: time.Now(), Text: "partition 2 goes on"}}
		}
		var reply wire.Reply
		if err := a.post(ctx, 0, jobPath(wire.ReportPath, doing.Job.ID), doing.Session, report, &reply); err != nil {
			return err
		}
		sent.Add(1)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Time reads pages in turn for some time, and returns how long each took, shortest
// first.
func (b *Browser) Time(ctx context.Context, lasts time.Duration, paths ...string) ([]time.Duration, error) {
	var took []time.Duration
	for began := time.Now(); time.Since(began) < lasts; {
		for _, path := range paths {
			start := time.Now()
			if _, err := b.Get(ctx, path); err != nil {
				return nil, err
			}
			took = append(took, time.Since(start))
		}
	}
	slices.Sort(took)
	return took, nil
}

// Watch follows the events of a page until ctx ends, as a page does that is open, and
// returns how many bytes came.
func (b *Browser) Watch(ctx context.Context, path string) (int64, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+path, nil)
	if err != nil {
		return 0, err
	}
	resp, err := b.client.Do(r)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if ctx.Err() != nil {
		err = nil
	}
	return n, err
}

// Percentile is the nth percentile of sorted times.
func Percentile(sorted []time.Duration, n int) time.Duration {
	return sorted[min(len(sorted)*n/100, len(sorted)-1)]
}
