package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

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
	kept := keptLint{}
	if err == nil {
		kept, err = readReport(report)
	}
	if err != nil {
		c.log.Warn("an image was not looked over", "image", id, "error", err)
		kept = keptLint{LintSummary: LintSummary{Error: "it could not be looked over; the server's log says why"}}
		if isAnswer(err) {
			kept.Error = err.Error()
		}
	}
	if ctx.Err() == nil {
		err = c.keepLint(ctx, id, by, kept)
	}
	if err != nil {
		c.log.Error("what was found in an image was not kept", "image", id, "error", err)
	}
	c.linting.end(id)
	c.events.send(Event{TopicImage, id})
}

// keepLint keeps what was found in an image. A look that failed takes nothing away
// from what an earlier one found.
func (c *Control) keepLint(ctx context.Context, id, by string, kept keptLint) error {
	kept.At = c.now()
	return c.records.InTx(ctx, func(ctx context.Context, r Records) error {
		return changeNote(ctx, r, id, func(n *fleet.ImageNote) {
			if text, err := json.Marshal(kept.after(n.Lint)); err == nil { // it is made of what was JSON
				n.Lint = text
			}
			if n.At.IsZero() {
				n.By, n.At = by, kept.At
			}
		})
	})
}

// after is what is kept when earlier was kept before.
func (k keptLint) after(earlier []byte) keptLint {
	var found keptLint
	if k.Error == "" || json.Unmarshal(earlier, &found) != nil || found.Report == nil {
		return k
	}
	found.Error = k.Error
	return found
}

// told is what a machine found when it looked over what it captured.
type told struct {
	by     string          // its name
	asked  string          // the name that the image was to have
	report json.RawMessage // as the agent sent it; nil: nothing was looked over
}

// keepTold keeps that with the image that a job made, and with no other: whoever has
// one machine could speak well of another's image. It fails into the log.
func (c *Control) keepTold(ctx context.Context, j fleet.Job, t told) {
	if len(t.report) == 0 || j.State != fleet.Done {
		return
	}
	kept, err := readReport(t.report)
	if err == nil {
		err = c.madeBy(ctx, j, t.asked)
	}
	if err == nil {
		err = c.keepLint(ctx, j.Result.Image, t.by, kept)
	}
	if err != nil {
		c.log.Warn("what a machine found in its image was not kept", "job", j.ID, "machine", t.by, "error", err)
		return
	}
	c.events.send(Event{TopicImage, j.Result.Image})
}

// clocksDiffer is by how much the clock of a machine may be behind, which is set when
// its agent says hello.
const clocksDiffer = 10 * time.Minute

// madeBy is nil when the image that a job says it made can be one that it made: it
// has the name that the job was asked for, is younger than the job, and was not looked
// over before.
func (c *Control) madeBy(ctx context.Context, j fleet.Job, asked string) error {
	image, err := c.images.Find(ctx, j.Result.Name)
	if err != nil {
		return err
	}
	base, _, _ := strings.Cut(asked, ":")
	note, err := c.records.ImageNote(ctx, image.ID)
	switch {
	case err != nil && !errors.Is(err, ErrNoRecord):
		return err
	case image.ID != j.Result.Image || !strings.HasPrefix(j.Result.Name, base+":"):
		return fmt.Errorf("%s is no image that this job was to make", j.Result.Name)
	case image.Created.Before(j.Started.Add(-clocksDiffer)):
		return fmt.Errorf("%s is older than the job", j.Result.Name)
	case len(note.Lint) > 0:
		return fmt.Errorf("%s was looked over already", j.Result.Name)
	}
	return nil
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
