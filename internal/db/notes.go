package db

import (
	"context"

	"github.com/ingot-imaging/ingot/internal/fleet"
)

// Setting is a value by its name.
func (r records) Setting(ctx context.Context, name string) (string, error) {
	return one(ctx, r.reader(), text, `SELECT value FROM settings WHERE name = ?`, name)
}

// PutSetting keeps a value.
func (r records) PutSetting(ctx context.Context, s fleet.Setting) error {
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`, s.Name, s.Value)
		return err
	})
}

// RemoveSetting removes a value.
func (r records) RemoveSetting(ctx context.Context, name string) error {
	return r.write(ctx, func(q query) error { return q.must(ctx, `DELETE FROM settings WHERE name = ?`, name) })
}

// ImageNote is the one of an image.
func (r records) ImageNote(ctx context.Context, image string) (fleet.ImageNote, error) {
	return one(ctx, r.reader(), document[fleet.ImageNote], `SELECT data FROM image_notes WHERE image = ?`, image)
}

// ImageNotes are those of all images.
func (r records) ImageNotes(ctx context.Context) ([]fleet.ImageNote, error) {
	return list(ctx, r.reader(), document[fleet.ImageNote], `SELECT data FROM image_notes ORDER BY image`)
}

// PutImageNote keeps a note.
func (r records) PutImageNote(ctx context.Context, n fleet.ImageNote) error {
	kept(&n.At)
	data, err := encode(n)
	if err != nil {
		return err
	}
	return r.write(ctx, func(q query) error {
		_, err := q.exec(ctx, `INSERT INTO image_notes (image, data) VALUES (?, ?) ON CONFLICT (image) DO UPDATE SET data = excluded.data`, n.Image, data)
		return err
	})
}

// RemoveImageNote removes a note.
func (r records) RemoveImageNote(ctx context.Context, image string) error {
	return r.write(ctx, func(q query) error { return q.must(ctx, `DELETE FROM image_notes WHERE image = ?`, image) })
}
