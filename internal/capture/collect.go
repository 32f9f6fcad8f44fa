package capture

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/store"
)

// maxPending bounds the entries that wait for a pack to be stored: about 25 MiB.
// Beyond it the packs they wait for are closed early.
const maxPending = 200_000

// collector puts the entries of pieces, which arrive in any order, together into
// segments, and stores a segment when every chunk in it is durable.
type collector struct {
	plan    *Plan
	ses     *store.Session
	work    *progress.Work
	regions []image.Region

	next    int            // number of the piece that is due
	early   map[int]*piece // pieces that came before their turn
	open    *segment       // being filled
	waiting []*segment     // complete, with chunks that are not durable yet
	pending int            // entries in open and waiting
	asked   int            // pending when packs were last asked for
}

// segment is a stretch of map with chunks whose places may not be known yet.
type segment struct {
	region  int
	start   int64
	entries []entry
}

func newCollector(p *Plan, ses *store.Session, work *progress.Work) *collector {
	c := &collector{plan: p, ses: ses, work: work, early: map[int]*piece{}}
	for _, r := range p.Regions {
		c.regions = append(c.regions, r.Region)
	}
	return c
}

// run takes pieces until done is closed.
func (c *collector) run(ctx context.Context, done <-chan *piece) error {
	for pc := range done {
		c.early[pc.number] = pc
		for due := c.early[c.next]; due != nil; due = c.early[c.next] {
			delete(c.early, c.next)
			c.next++
			c.take(due)
		}
		if err := c.store(ctx); err != nil {
			return err
		}
		if c.pending > maxPending && c.pending > c.asked+maxPending/4 {
			c.asked = c.pending
			c.ses.SealSoon()
		}
		c.report()
	}
	return nil
}

// take appends the entries of the next piece to the open segment.
func (c *collector) take(pc *piece) {
	start := pc.extents[0].Start / image.SegmentSpan * image.SegmentSpan
	if c.open != nil && (c.open.region != pc.region || c.open.start != start) {
		c.close()
	}
	if c.open == nil {
		c.open = &segment{region: pc.region, start: start}
	}
	r := &c.regions[pc.region]
	for _, e := range pc.entries {
		r.Data += e.Length
		if e.Zero {
			r.Zero += e.Length
		}
		r.End = max(r.End, e.Offset+e.Length)
	}
	c.open.entries = append(c.open.entries, pc.entries...)
	c.pending += len(pc.entries)
}

func (c *collector) close() {
	if len(c.open.entries) > 0 {
		c.waiting = append(c.waiting, c.open)
	}
	c.open = nil
}

// store stores the waiting segments whose chunks are all durable, oldest first.
func (c *collector) store(ctx context.Context) error {
	for len(c.waiting) > 0 {
		s := c.waiting[0]
		m, ok := s.resolve()
		if !ok {
			return nil
		}
		id, err := c.ses.PutMap(ctx, m.Encode(0), m.Encode)
		if err != nil {
			return fmt.Errorf("store map of %s at %#x: %w", c.regions[s.region].Title(), s.start, err)
		}
		r := &c.regions[s.region]
		r.Map = append(r.Map, image.SegmentRef{Start: s.start, ID: id})
		c.waiting = c.waiting[1:]
		c.pending -= len(s.entries)
		c.asked = min(c.asked, c.pending)
	}
	return nil
}

// resolve returns the segment with all places filled in; false when one is not known yet.
func (s *segment) resolve() (*image.Segment, bool) {
	m := &image.Segment{Start: s.start, Entries: make([]image.Entry, len(s.entries))}
	for i := len(s.entries) - 1; i >= 0; i-- { // the last is the likeliest to be missing
		e := s.entries[i]
		m.Entries[i] = e.Entry
		if e.place == nil {
			continue
		}
		var ok bool
		if m.Entries[i].At, ok = e.place.Location(); !ok {
			return nil, false
		}
	}
	return m, true
}

// finish stores what is left, once the session has stored every pack.
func (c *collector) finish(ctx context.Context) error {
	if c.open != nil {
		c.close()
	}
	if err := c.store(ctx); err != nil {
		return err
	}
	if len(c.waiting) > 0 {
		return fmt.Errorf("capture: the place of a chunk of %s is not known after all packs were stored", c.regions[c.waiting[0].region].Title())
	}
	for i := range c.regions {
		if r := &c.regions[i]; r.Rest == image.Zeros {
			r.Zero, r.Data, r.End = r.Size-r.Data+r.Zero, r.Size, r.Size
		}
	}
	c.report()
	return nil
}

func (c *collector) report() {
	c.work.New.Store(c.ses.Stats.Plain.Load())
	c.work.Reused.Store(c.ses.Stats.Reused.Load())
	c.work.Stored.Store(c.ses.Stats.Stored.Load())
}
