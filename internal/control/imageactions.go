package control

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Images are all images, newest first.
func (c *Control) Images(ctx context.Context, actor fleet.Actor) ([]Image, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return nil, err
	}
	images, damage, err := c.images.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, text := range damage {
		c.log.Warn("a part of the store cannot be read", "what", text)
	}
	notes, err := c.records.ImageNotes(ctx)
	if err != nil {
		return nil, err
	}
	byImage := map[string]fleet.ImageNote{}
	for _, n := range notes {
		byImage[n.Image] = n
	}
	for i := range images {
		c.annotate(&images[i], byImage[images[i].ID], false)
	}
	return images, nil
}

// Image finds an image by name:tag, name or ID.
func (c *Control) Image(ctx context.Context, actor fleet.Actor, ref string) (Image, error) {
	if err := look(actor, fleet.Viewer); err != nil {
		return Image{}, err
	}
	image, err := c.images.Find(ctx, ref)
	if err != nil {
		return image, err
	}
	return c.annotated(ctx, image, true)
}

// annotated is an image with what is known of it beside its bytes.
func (c *Control) annotated(ctx context.Context, image Image, whole bool) (Image, error) {
	note, err := c.records.ImageNote(ctx, image.ID)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return image, err
	}
	c.annotate(&image, note, whole)
	return image, nil
}

// annotate adds that from a note; whole says that all findings are wanted.
func (c *Control) annotate(image *Image, note fleet.ImageNote, whole bool) {
	image.Notes = note.Notes
	if len(note.Lint) > 0 {
		var kept keptLint
		if json.Unmarshal(note.Lint, &kept) == nil {
			image.Lint = &kept.LintSummary
			image.System, image.OS, image.Single = cmp.Or(image.System, kept.System), cmp.Or(image.OS, kept.OS), image.Single || kept.Single
		}
	}
	if c.linting.is(image.ID) {
		if image.Lint == nil {
			image.Lint = &LintSummary{At: c.now()}
		}
		image.Lint.Running = true
	}
	if image.Lint != nil && !whole {
		image.Lint.Report = nil
	}
}

// changeNote reads, changes and keeps what is known of an image.
func changeNote(ctx context.Context, r Records, image string, change func(*fleet.ImageNote)) error {
	note, err := r.ImageNote(ctx, image)
	if err != nil && !errors.Is(err, ErrNoRecord) {
		return err
	}
	note.Image = image
	change(&note)
	return r.PutImageNote(ctx, note)
}

// SetImageNotes replaces what people wrote about an image.
func (c *Control) SetImageNotes(ctx context.Context, actor fleet.Actor, ref, notes string) error {
	d := deed{actor: actor, need: fleet.Operator, action: "image.notes", object: "image " + clean(ref, maxName)}
	image, err := c.imageFor(ctx, d, ref)
	if err != nil {
		return err
	}
	return c.do(ctx, d, func(ctx context.Context, r Records, d *deed) error {
		d.event(TopicImage, image.ID)
		return changeNote(ctx, r, image.ID, func(n *fleet.ImageNote) {
			n.Notes, n.By, n.At = cleanNotes(notes), d.actor.Name, c.now()
		})
	})
}

// imageFor finds the image of a deed, if the actor may.
func (c *Control) imageFor(ctx context.Context, d deed, ref string) (Image, error) {
	if err := look(d.actor, d.need); err != nil {
		return Image{}, c.do(ctx, d, nil)
	}
	return c.images.Find(ctx, ref)
}

// TagImage gives an image another name, "lab-pc" or "lab-pc:final", and returns it
// whole.
func (c *Control) TagImage(ctx context.Context, actor fleet.Actor, ref, name string) (string, error) {
	d := deed{actor: actor, need: fleet.Operator, action: "image.tag", object: "image " + clean(ref, maxName), detail: clean(name, maxName)}
	var whole string
	err := c.changeStore(ctx, d, func() (err error) {
		whole, err = c.images.Tag(ctx, ref, name)
		return err
	})
	return whole, err
}

// RemoveImage removes a name of an image, "lab-pc:v3"; what no name stands for goes
// with the next clean-up. An image that work needs which has not ended is a
// *ConflictError.
func (c *Control) RemoveImage(ctx context.Context, actor fleet.Actor, name string) error {
	d := deed{actor: actor, need: fleet.Admin, action: "image.remove", object: "image " + clean(name, maxName)}
	image, err := c.imageFor(ctx, d, name)
	if err != nil {
		return err
	}
	open, _, err := c.records.Batches(ctx, BatchFilter{Open: true})
	if err != nil {
		return err
	}
	for _, b := range open {
		if b.Spec.ImageID == image.ID && len(image.Names) <= 1 {
			err := &ConflictError{Message: "the batch " + b.ID + " needs this image; cancel it first"}
			c.note(ctx, d, resultOf(err))
			return err
		}
	}
	return c.changeStore(ctx, d, func() error { return c.images.Remove(ctx, name) })
}

// changeStore acts on the store and then writes the audit entry: the store knows no
// transactions of records.
func (c *Control) changeStore(ctx context.Context, d deed, change func() error) error {
	if err := look(d.actor, d.need); err != nil {
		return c.do(ctx, d, nil)
	}
	if err := change(); err != nil {
		c.note(ctx, d, resultOf(err))
		return err
	}
	d.events = []Event{{TopicImage, ""}}
	return c.do(ctx, d, func(context.Context, Records, *deed) error { return nil })
}
