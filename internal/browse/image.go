package browse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// Source is where the bytes of an image come from.
type Source interface {
	content.Source
	content.Opener
}

// Image is an image whose files are read. It belongs to one goroutine.
type Image struct {
	manifest *image.Manifest
	source   Source
	scratch  string

	views   *views // nil until a volume is mounted
	volumes map[int]volume
}

// New returns the image that manifest describes, whose bytes come from src. Folders
// for its mounts are made in a new folder below dir, which Close removes.
func New(src Source, manifest *image.Manifest, dir string) *Image {
	return &Image{manifest: manifest, source: src, scratch: dir, volumes: map[int]volume{}}
}

// Close takes all mounts away. It returns what was wrong with the image, too, where
// a volume could not be read: who reads a mounted file is told no more than EIO.
func (i *Image) Close() error {
	var err error
	for _, v := range i.volumes {
		err = errors.Join(err, v.close())
	}
	if i.views != nil {
		err = errors.Join(err, i.views.err(), i.views.close())
	}
	i.volumes, i.views = nil, nil
	return err
}

// Volume returns the files of a partition's volume; 0 is that of an image without
// a table. The error may be a *NoPartitionError or a *KindError.
func (i *Image) Volume(ctx context.Context, n int) (*Tree, error) {
	p, err := i.partition(n)
	if err != nil {
		return nil, err
	}
	v, err := i.open(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Tree{points: []point{{partition: n, kind: p.Kind, files: v}}}, nil
}

// open opens the volume of p, once.
func (i *Image) open(ctx context.Context, p Partition) (volume, error) {
	if v := i.volumes[p.Number]; v != nil {
		return v, nil
	}
	var v volume
	var err error
	switch {
	case p.Method == image.FileByFile:
		v, err = i.list(ctx, p.Number)
	case mount.Mountable(p.Kind):
		v, err = i.mount(ctx, p)
	default:
		err = &KindError{p.Number, p.Kind}
	}
	if err != nil {
		return nil, err
	}
	i.volumes[p.Number] = v
	return v, nil
}

func (i *Image) list(ctx context.Context, n int) (volume, error) {
	v, err := files.Open(ctx, i.source, n)
	if err != nil {
		return nil, err
	}
	contents, err := i.source.Open(ctx, i.region(n, image.Contents))
	if err != nil {
		return nil, err
	}
	return &listed{v, contents}, nil
}

// VolumeFile returns a file of this machine that shows a volume which was captured
// by blocks, until Close.
func (i *Image) VolumeFile(ctx context.Context, n int) (string, error) {
	p, err := i.partition(n)
	if err != nil {
		return "", err
	}
	if !p.Mounted() {
		return "", &KindError{p.Number, p.Kind}
	}
	if err := i.show(ctx); err != nil {
		return "", err
	}
	return i.views.path(n), nil
}

func (i *Image) show(ctx context.Context) (err error) {
	if i.views == nil {
		i.views, err = show(ctx, i.source, i.scratch)
	}
	return err
}

func (i *Image) mount(ctx context.Context, p Partition) (volume, error) {
	if err := i.show(ctx); err != nil {
		return nil, err
	}
	dir := filepath.Join(i.views.dir, fmt.Sprintf("partition-%d", p.Number))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	m, err := mount.Volume(ctx, i.views.path(p.Number), p.Kind, dir, mount.Options{ReadOnly: true, SectorSize: i.manifest.Disk.SectorSize})
	if err != nil {
		os.Remove(dir) // so that who asks again is told the same
		return nil, fmt.Errorf("partition %d: %w", p.Number, err)
	}
	i.views.mounts = append(i.views.mounts, m)
	root, err := rootfs.Open(dir)
	if err != nil {
		return nil, err
	}
	return mounted{root, p.Kind}, nil
}
