package browse

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/view"
)

// views are the volumes of an image as files of this machine, and their mounts.
type views struct {
	dir    string // everything of it is below
	server *view.Server
	layers []*view.Layer
	bytes  []content.Random
	mounts []*mount.Mount
}

// show shows the volumes that can be mounted as files.
func show(ctx context.Context, src Source, dir string) (*views, error) {
	scratch, err := os.MkdirTemp(dir, "ingot-browse-")
	if err != nil {
		return nil, err
	}
	v := &views{dir: scratch}
	if err := v.serve(ctx, src); err != nil {
		return nil, errors.Join(err, v.close())
	}
	return v, nil
}

func (v *views) serve(ctx context.Context, src Source) error {
	layers := map[string]*view.Layer{}
	for i, r := range src.Regions() {
		if r.Role != image.Blocks || r.Volume == nil || !mount.Mountable(r.Volume.Kind) {
			continue
		}
		bytes, err := src.Open(ctx, i)
		if err != nil {
			return err
		}
		v.bytes = append(v.bytes, bytes)
		layer, err := view.NewLayer(bytes, r.Size, v.dir)
		if err != nil {
			return err
		}
		v.layers = append(v.layers, layer)
		layers[strconv.Itoa(r.Partition)] = layer
	}
	at := filepath.Join(v.dir, "volumes")
	if err := os.Mkdir(at, 0o700); err != nil {
		return err
	}
	var err error
	v.server, err = view.Serve(at, layers)
	return err
}

// path is the file that shows a partition's volume.
func (v *views) path(n int) string { return v.server.Path(strconv.Itoa(n)) }

// err is why a volume could not be read, which its users are not told.
func (v *views) err() error {
	var err error
	for _, l := range v.layers {
		err = errors.Join(err, l.Err())
	}
	return err
}

// close takes away mounts, files and folders, in this order.
func (v *views) close() error {
	var err error
	for _, m := range slices.Backward(v.mounts) {
		err = errors.Join(err, m.Close())
	}
	if v.server != nil {
		err = errors.Join(err, v.server.Close())
	}
	for _, l := range v.layers {
		err = errors.Join(err, l.Close())
	}
	for _, b := range v.bytes {
		err = errors.Join(err, b.Close())
	}
	if err != nil {
		return err // something may still be mounted below
	}
	return os.RemoveAll(v.dir)
}
