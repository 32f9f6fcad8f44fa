package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/ingot-imaging/ingot/internal/control"
)

// mergeAfter is how long images may come before indexes are merged: those of a room
// come together.
const mergeAfter = 10 * time.Second

// merger is the store.
type merger interface {
	MergeIndexes(ctx context.Context) error
}

// merge keeps the store's indexes few until events end: machines that capture an image
// leave that to the server.
func merge(ctx context.Context, events <-chan control.Event, s merger, log *slog.Logger) error {
	var due <-chan time.Time
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return nil
			}
			if due == nil && (e.Topic == control.TopicImage || e.Topic == control.TopicAll) {
				due = time.After(mergeAfter)
			}
		case <-due:
			due = nil
			if err := s.MergeIndexes(ctx); err != nil && ctx.Err() == nil {
				log.Error("keep the store's indexes few", "error", err)
			}
		}
	}
}
