// Package volumes shows the volumes of an image, or of a disk, as files of this
// machine that can be changed without changing the image.
//
// It owns which file shows which volume, and what is told when one could not be
// read: the user of a file learns no more than that something failed. It mounts
// none of them. Start at Show.
package volumes

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/view"
)

// Volumes are shown until Close. They belong to one goroutine, their files to
// everybody.
type Volumes struct {
	All []*Volume // in the order of their regions

	dir    string // where they are shown; below it nothing else
	server *view.Server
}

// Volume is a region of the source under a copy-on-write layer.
type Volume struct {
	Region image.Region
	Base   content.Random
	Layer  *view.Layer
	Path   string // of its file
}

// Show shows the volumes of src that were captured by blocks, as far as they are
// wanted. The files are in a new folder below dir, and so is what is written to
// them.
func Show(ctx context.Context, src content.RandomSource, dir string, wanted func(image.Region) bool) (*Volumes, error) {
	v := &Volumes{}
	if err := v.show(ctx, src, dir, wanted); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func (v *Volumes) show(ctx context.Context, src content.RandomSource, dir string, wanted func(image.Region) bool) error {
	layers := map[string]*view.Layer{}
	for i, r := range src.Regions() {
		if r.Role != image.Blocks || r.Volume == nil || !wanted(r) {
			continue
		}
		base, err := src.Open(ctx, i)
		if err != nil {
			return fmt.Errorf("%s: %w", r.Title(), err)
		}
		one := &Volume{Region: r, Base: base}
		v.All = append(v.All, one)
		if one.Layer, err = view.NewLayer(base, r.Size, dir); err != nil {
			return err
		}
		layers[one.name()] = one.Layer
	}
	var err error
	if v.dir, err = os.MkdirTemp(dir, "ingot-volumes-"); err != nil {
		return err
	}
	if v.server, err = view.Serve(v.dir, layers); err != nil {
		return err
	}
	for _, one := range v.All {
		one.Path = v.server.Path(one.name())
	}
	return nil
}

func (v *Volume) name() string { return fmt.Sprintf("partition-%d", v.Region.Partition) }

// Of returns the volume of a partition, nil when it is not shown.
func (v *Volumes) Of(partition int) *Volume {
	i := slices.IndexFunc(v.All, func(one *Volume) bool { return one.Region.Partition == partition })
	if i < 0 {
		return nil
	}
	return v.All[i]
}

// Changed reports whether something was written to the volume, or its size is
// another.
func (v *Volume) Changed() bool { return v.Layer.Size() != v.Region.Size || len(v.Layer.Dirty()) > 0 }

// Explain adds to an error of who used the file why the volume could not be read
// or written, if that is the reason.
func (v *Volume) Explain(err error) error {
	if err == nil || v.Layer.Err() == nil {
		return err
	}
	return fmt.Errorf("%w (%w)", err, v.Layer.Err())
}

// Explain is Volume.Explain for who used several files.
func (v *Volumes) Explain(err error) error {
	for _, one := range v.All {
		if err != nil && one.Layer.Err() != nil {
			return one.Explain(err)
		}
	}
	return err
}

// Err is why a volume could not be read or written, whether somebody noticed or
// not; nil when all could.
func (v *Volumes) Err() error {
	for _, one := range v.All {
		if err := one.Layer.Err(); err != nil {
			return fmt.Errorf("%s: %w", one.Region.Title(), err)
		}
	}
	return nil
}

// Close takes the files away, and drops what was written to them. Where one is still
// in use they all stay, and Close can be called again.
func (v *Volumes) Close() error {
	if v.server != nil {
		if err := v.server.Close(); err != nil {
			return err
		}
	}
	var err error
	for _, one := range v.All {
		if one.Layer != nil {
			err = errors.Join(err, one.Layer.Close())
		}
		err = errors.Join(err, one.Base.Close())
	}
	if v.dir != "" {
		err = errors.Join(err, os.Remove(v.dir))
	}
	v.server, v.All, v.dir = nil, nil, ""
	return err
}
