package resize

import (
	"context"
	"errors"
	"os"

	"github.com/ingot-imaging/ingot/internal/mount"
)

// mounted mounts v for the programs that work on mounted volumes only.
func (v Volume) mounted(ctx context.Context, readOnly bool, do func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", "ingot-resize-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(dir)) }()
	m, err := mount.Volume(ctx, v.Path, v.Kind, dir, mount.Options{ReadOnly: readOnly})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	return do(dir)
}
