package web

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// events is a Control of which only the events are there.
type events struct {
	Control
	all chan control.Event
}

func (e events) Subscribe(ctx context.Context) <-chan control.Event {
	out := make(chan control.Event)
	go func() {
		defer close(out)
		for {
			select {
			case <-ctx.Done():
				return
			case one := <-e.all:
				select {
				case out <- one:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out
}

// numbers is a page of rows that tests change.
type numbers []int

func (n numbers) parts() []livePart {
	rows := []livePart{}
	for i, value := range n {
		rows = append(rows, livePart{ID: fmt.Sprintf("log-%d", i), Template: "log-row", Data: logRow{ID: int64(i), Text: fmt.Sprint("value ", value)}})
	}
	var log []logRow
	for i, value := range n {
		log = append(log, logRow{ID: int64(i), Text: fmt.Sprint("value ", value)})
	}
	return []livePart{{ID: "log", Template: "log", Data: jobBody{Log: log}, Rows: rows}}
}

// TestFeed looks at what viewers are sent, and how often a page is made for them.
func TestFeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := events{all: make(chan control.Event)}
		s := &site{ctl: source, log: slog.New(slog.DiscardHandler), now: time.Now, views: loadViews()}
		fs := &feeds{site: s, all: map[string]*feed{}}
		var made atomic.Int32
		var state atomic.Pointer[numbers]
		state.Store(&numbers{1, 2})
		page := liveSource{view: "job", topics: []control.Topic{control.TopicJob}, make: func(reader) (liveBody, error) {
			made.Add(1)
			return *state.Load(), nil
		}}
		actor := fleet.Actor{Role: fleet.Viewer}
		var f *feed
		var leaves []func()
		var wakes []chan struct{}
		for range 100 {
			one, wake, leave := fs.join("/events/jobs/j", page, actor)
			f, wakes, leaves = one, append(wakes, wake), append(leaves, leave)
		}
		synctest.Wait()
		if made.Load() != 1 {
			t.Errorf("the page was made %d times for 100 viewers", made.Load())
		}
		first, seen := f.news(0)
		if text := string(first); !strings.Contains(text, `hx-target="#log" hx-swap="outerMorph"`) || !strings.Contains(text, "value 2") {
			t.Errorf("a new viewer gets %s", text)
		}
		if again, _ := f.news(f.seen(fmt.Sprintf("%s-%d", f.epoch, seen))); again != nil {
			t.Errorf("who comes back gets %s", again)
		}
		if all, _ := f.news(f.seen("other-5")); len(all) != len(first) {
			t.Error("an ID of another feed is believed")
		}

		state.Store(&numbers{1, 7})
		source.all <- control.Event{Topic: control.TopicBoot}
		time.Sleep(feedAgain + time.Millisecond) // the one more that follows the first
		before := made.Load()
		start := time.Now()
		for time.Since(start) < 10*time.Second { // 100 events a second
			source.all <- control.Event{Topic: control.TopicJob}
			time.Sleep(10 * time.Millisecond)
		}
		if n := made.Load() - before; n > 23 {
			t.Errorf("the page was made %d times in 10 seconds", n)
		}
		second, now := f.news(seen)
		if text := string(second); strings.Contains(text, `"#log"`) || !strings.Contains(text, `hx-target="#log-1" hx-swap="outerMorph"`) || strings.Contains(text, "value 1") {
			t.Errorf("a row that changed is sent as %s", text)
		}

		state.Store(&numbers{1, 7, 8})
		source.all <- control.Event{Topic: control.TopicAll}
		time.Sleep(3 * time.Second)
		third, now := f.news(now)
		if text := string(third); !strings.Contains(text, `hx-target="#log" hx-swap="beforeend"`) || strings.Contains(text, "value 7") {
			t.Errorf("a row that is new is sent as %s", text)
		}
		late, _ := f.news(seen)
		if text := string(late); !strings.Contains(text, "value 7") || !strings.Contains(text, "value 8") {
			t.Errorf("who was slow is sent %s", text)
		}
		state.Store(&numbers{8})
		source.all <- control.Event{Topic: control.TopicJob}
		time.Sleep(3 * time.Second)
		if fourth, _ := f.news(now); !strings.Contains(string(fourth), `hx-target="#log" hx-swap="outerMorph"`) {
			t.Errorf("rows that went are sent as %s", fourth)
		}
		if len(wakes[0]) != 1 || len(wakes[99]) != 1 {
			t.Error("not everybody was told")
		}
		for _, leave := range leaves {
			leave()
		}
		synctest.Wait()
		if len(fs.all) != 0 {
			t.Error("a page that nobody looks at is kept")
		}
	})
}
