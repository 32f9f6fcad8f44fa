package control

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// LintImage starts to look an image over. The end of it is an event. An image that is
// looked over already is a *ConflictError.
func (c *Control) LintImage(ctx context.Context, actor fleet.Actor, ref string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "image.lint", object: "image " + clean(ref, maxName)}
	image, err := c.imageFor(ctx, d, ref)
	if err != nil {
		return err
	}
	if !c.linting.begin(image.ID) {
		return &ConflictError{Message: "this image is being looked over"}
	}
	d.events = []Event{{TopicImage, image.ID}}
	if err := c.do(ctx, d, func(context.Context, Records, *deed) error { return nil }); err != nil {
		c.linting.end(image.ID)
		return err
	}
	c.running.Go(func() { c.lint(c.background, image.ID, actor.Name) })
	return nil
}

// lint looks an image over, one at a time, and keeps what was found.
func (c *Control) lint(ctx context.Context, id, by string) {
	c.linting.one.Lock()
	report, err := c.images.Lint(ctx, id)
	c.linting.one.Unlock()
	kept := summary(report)
	kept.At = c.now()
	if err != nil {
		c.log.Warn("an image was not looked over", "image", id, "error", err)
		kept = LintSummary{At: kept.At, Error: "it could not be looked over; the server's log says why"}
		if isAnswer(err) {
			kept.Error = err.Error()
		}
	}
	text, err := json.Marshal(kept)
	if err == nil && ctx.Err() == nil {
		err = c.records.InTx(ctx, func(ctx context.Context, r Records) error {
			return changeNote(ctx, r, id, func(n *fleet.ImageNote) {
				n.Lint = text
				if n.At.IsZero() {
					n.By, n.At = by, kept.At
				}
			})
		})
	}
	if err != nil {
		c.log.Error("what was found in an image was not kept", "image", id, "error", err)
	}
	c.linting.end(id)
	c.events.send(Event{TopicImage, id})
}

// summary counts the findings of a report.
func summary(report json.RawMessage) LintSummary {
	s := LintSummary{Report: report}
	var found struct {
		Findings []struct {
			Severity string `json:"severity"`
		} `json:"findings"`
	}
	if err := json.Unmarshal(report, &found); err != nil {
		return LintSummary{Error: "what was found could not be read"}
	}
	for _, f := range found.Findings {
		switch f.Severity {
		case "serious":
			s.Errors++
		case "warning":
			s.Warnings++
		default:
			s.Notes++
		}
	}
	return s
}

// busy is the images that are being looked over.
type busy struct {
	one sync.Mutex // one at a time
	mu  sync.Mutex
	of  map[string]bool
}

func newBusy() *busy { return &busy{of: map[string]bool{}} }

func (b *busy) begin(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.of[id] {
		return false
	}
	b.of[id] = true
	return true
}

func (b *busy) end(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.of, id)
}

func (b *busy) is(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of[id]
}
