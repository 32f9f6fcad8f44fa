package web

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Pages that change while somebody looks are fed: a feed makes the parts of a page
// again when something happened, once for everybody who looks at the same page with
// the same role, and each viewer is sent the parts that differ from what they have.
// A viewer who is slow, or comes back, gets the newest of each part and nothing in
// between.

const (
	// feedPause is the least time between two renderings of a page.
	feedPause = 500 * time.Millisecond
	// feedAgain is when a page is made once more after an event: some come before what
	// they are about was written, and control leaves out those that follow closely.
	feedAgain = 1200 * time.Millisecond
	// feedIdle is how often a page is made again when nothing happened: that a machine
	// fell silent is no event.
	feedIdle = 10 * time.Second
)

// livePart is a part of a page that is replaced when it differs: the element with
// an ID, made by a template. Rows are its children; those that change are replaced
// alone, those that are new at the end are appended.
type livePart struct {
	ID, Template string
	Data         any
	Rows         []livePart
}

// liveBody is the body of a page that changes.
type liveBody interface{ parts() []livePart }

// liveSource is how a page is made again.
type liveSource struct {
	view   string // whose templates
	topics []control.Topic
	make   func(reader) (liveBody, error)
}

// reader reads for somebody, with or without a request.
type reader struct {
	ctl   Control
	ctx   context.Context
	actor fleet.Actor
	now   time.Time
}

// feeds are the pages that somebody looks at now.
type feeds struct {
	site *site
	mu   sync.Mutex
	all  map[string]*feed
}

// feed is one page.
type feed struct {
	key    string
	epoch  string // so that versions of another feed mean nothing here
	source liveSource
	actor  fleet.Actor
	log    *slog.Logger
	stop   context.CancelFunc

	mu      sync.Mutex
	viewers map[chan struct{}]bool
	version int64
	parts   []keptPart
}

// join adds a viewer. wake is told of news; leave must be called.
func (fs *feeds) join(key string, source liveSource, actor fleet.Actor) (f *feed, wake chan struct{}, leave func()) {
	key = string(actor.Role) + " " + key
	wake = make(chan struct{}, 1)
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f = fs.all[key]
	if f == nil {
		ctx, stop := context.WithCancel(context.Background())
		f = &feed{key: key, epoch: rand.Text()[:8], source: source, actor: actor, log: fs.site.log, stop: stop, viewers: map[chan struct{}]bool{}}
		fs.all[key] = f
		go f.run(ctx, fs.site)
	}
	f.mu.Lock()
	f.viewers[wake] = true
	f.mu.Unlock()
	return f, wake, func() { fs.leave(f, wake) }
}

func (fs *feeds) leave(f *feed, wake chan struct{}) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f.mu.Lock()
	delete(f.viewers, wake)
	last := len(f.viewers) == 0
	f.mu.Unlock()
	if last {
		f.stop()
		delete(fs.all, f.key)
	}
}

// run makes the page again whenever one of its topics has news.
func (f *feed) run(ctx context.Context, s *site) {
	events := s.ctl.Subscribe(ctx)
	idle := time.NewTicker(feedIdle)
	defer idle.Stop()
	due, fresh := time.NewTimer(0), true // something happened that due is for
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-events:
			if !ok {
				return
			}
			if !fresh && (e.Topic == control.TopicAll || slices.Contains(f.source.topics, e.Topic)) {
				due.Reset(feedPause)
				fresh = true
			}
		case <-idle.C:
			due.Reset(0)
		case <-due.C:
			var gone *control.NotFoundError
			if err := f.refresh(ctx, s); err != nil && ctx.Err() == nil && !errors.As(err, &gone) {
				f.log.Warn("a live page could not be made", "page", f.key, "error", err)
			}
			if fresh {
				due.Reset(feedAgain)
				fresh = false
			}
		}
	}
}

// refresh makes all parts, keeps what differs, and wakes the viewers.
func (f *feed) refresh(ctx context.Context, s *site) error {
	body, err := f.source.make(reader{s.ctl, ctx, f.actor, s.now()})
	if err != nil {
		return err
	}
	f.mu.Lock()
	next, old := f.version+1, f.parts
	f.mu.Unlock()
	var parts []keptPart
	changed := false
	for i, p := range body.parts() {
		var before keptPart
		if i < len(old) && old[i].id == p.ID {
			before = old[i]
		}
		kept, differs, err := f.keep(s.views, p, before, next)
		if err != nil {
			return err
		}
		parts, changed = append(parts, kept), changed || differs
	}
	if !changed && len(parts) == len(old) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version, f.parts = next, parts
	for wake := range f.viewers {
		select {
		case wake <- struct{}{}:
		default: // knows already
		}
	}
	return nil
}
