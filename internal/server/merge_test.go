package server

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// countedMerges takes a minute for each, and fails all but the first.
type countedMerges struct{ n int }

func (c *countedMerges) MergeIndexes(context.Context) error {
	time.Sleep(time.Minute)
	if c.n++; c.n > 1 {
		return errors.New("the disk is full")
	}
	return nil
}

func TestMerge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		events, made, out := make(chan control.Event, 256), &countedMerges{}, &bytes.Buffer{}
		ended := make(chan error)
		go func() { ended <- merge(t.Context(), events, made, slog.New(slog.NewTextHandler(out, nil))) }()
		send := func(want int, topics ...control.Topic) {
			t.Helper()
			for _, topic := range topics {
				events <- control.Event{Topic: topic}
				time.Sleep(time.Second)
			}
			time.Sleep(5 * time.Minute)
			synctest.Wait()
			if made.n != want {
				t.Errorf("%d merges after %v, want %d", made.n, topics, want)
			}
		}
		send(1, control.TopicImage, control.TopicImage, control.TopicImage)
		send(1, control.TopicBoot, control.TopicJob)
		send(2, control.TopicAll)
		if !strings.Contains(out.String(), "the disk is full") {
			t.Errorf("the log is %q", out)
		}
		// What comes during a merge is seen to after it, once.
		events <- control.Event{Topic: control.TopicImage}
		time.Sleep(mergeAfter + time.Second)
		send(4, control.TopicImage, control.TopicImage, control.TopicImage)
		close(events)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
