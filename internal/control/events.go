package control

import (
	"context"
	"sync"
)

// Topic is what an event is about.
type Topic string

// Topics. TopicAll comes after events were lost: read everything again.
const (
	TopicMachine Topic = "machine"
	TopicBatch   Topic = "batch"
	TopicJob     Topic = "job"
	TopicBoot    Topic = "boot"
	TopicImage   Topic = "image"
	TopicProfile Topic = "profile"
	TopicUser    Topic = "user"
	TopicAll     Topic = "all"
)

// Event says that something changed. It holds no data: who wants it reads it again,
// as far as they may.
type Event struct {
	Topic Topic  `json:"topic"`
	ID    string `json:"id"` // "" for several
}

// eventRoom is how many events a subscriber can be behind.
const eventRoom = 256

// events sends events to subscribers.
type events struct {
	mu   sync.Mutex
	subs map[*subscriber]bool
}

type subscriber struct {
	out  chan Event
	lost bool
}

func newEvents() *events { return &events{subs: map[*subscriber]bool{}} }

// Subscribe sends events until ctx or Control ends, and closes the channel then. Who
// reads too slowly loses events, and is sent one of TopicAll in their place.
func (c *Control) Subscribe(ctx context.Context) <-chan Event {
	s := &subscriber{out: make(chan Event, eventRoom)}
	c.events.mu.Lock()
	c.events.subs[s] = true
	c.events.mu.Unlock()
	go func() {
		select {
		case <-ctx.Done():
		case <-c.background.Done():
		}
		c.events.mu.Lock()
		defer c.events.mu.Unlock()
		delete(c.events.subs, s)
		close(s.out)
	}()
	return s.out
}

func (e *events) send(all ...Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.subs {
		for _, one := range all {
			s.send(one)
		}
	}
}

// send keeps the last place free for the event that says that others were lost.
func (s *subscriber) send(e Event) {
	if len(s.out) < cap(s.out)-1 {
		s.out <- e
		s.lost = false
		return
	}
	if !s.lost {
		s.out <- Event{Topic: TopicAll}
		s.lost = true
	}
}
