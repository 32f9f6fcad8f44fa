package browse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/view/volumes"
)

// Image is an image whose files are read. It belongs to one goroutine.
type Image struct {
	manifest *image.Manifest
	source   content.RandomSource
	scratch  string

	shown    *volumes.Volumes // nil until a volume is mounted
	borrowed bool             // shown is somebody else's, who closes it
	dir      string           // of the mounts, "" until there is one
	mounts   []*mount.Mount
	open     map[int]volume
}

// New returns the image that manifest describes, whose bytes come from src. Folders
// for its mounts are made in a new folder below dir, which Close removes.
func New(src content.RandomSource, manifest *image.Manifest, dir string) *Image {
	return &Image{manifest: manifest, source: src, scratch: dir, open: map[int]volume{}}
}

// NewShown is New for an image whose volumes are shown already, and stay so until
// the Image is closed.
func NewShown(shown *volumes.Volumes, src content.RandomSource, manifest *image.Manifest, dir string) *Image {
	i := New(src, manifest, dir)
	i.shown, i.borrowed = shown, true
	return i
}

// Close takes all mounts away. It returns what was wrong with the image, too, where
// a volume could not be read: who reads a mounted file is told no more than EIO.
func (i *Image) Close() error {
	var err error
	for _, v := range i.open {
		err = errors.Join(err, v.close())
	}
	for _, m := range slices.Backward(i.mounts) {
		err = errors.Join(err, m.Close())
	}
	if i.dir != "" && err == nil { // otherwise something may still be mounted below
		err = os.RemoveAll(i.dir)
	}
	if i.shown != nil && !i.borrowed {
		err = errors.Join(err, i.shown.Err(), i.shown.Close())
	}
	i.open, i.mounts, i.shown, i.dir = nil, nil, nil, ""
	return err
}

// Volume returns the files of a partition's volume; 0 is that of an image without
// a table. The error may be a *NoPartitionError or a *KindError.
func (i *Image) Volume(ctx context.Context, n int) (*Tree, error) {
	p, err := i.partition(n)
	if err != nil {
		return nil, err
	}
	v, err := i.opened(ctx, p)
	if err != nil {
		return nil, err
	}
	return &Tree{points: []point{{partition: n, kind: p.Kind, files: v}}}, nil
}

// opened opens the volume of p, once.
func (i *Image) opened(ctx context.Context, p Partition) (volume, error) {
	if v := i.open[p.Number]; v != nil {
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
	i.open[p.Number] = v
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
	return i.shown.Of(n).Path, nil
}

func (i *Image) show(ctx context.Context) (err error) {
	if i.shown == nil {
		i.shown, err = volumes.Show(ctx, i.source, i.scratch, func(r image.Region) bool { return mount.Mountable(r.Volume.Kind) })
	}
	return err
}

func (i *Image) mount(ctx context.Context, p Partition) (volume, error) {
	if err := i.show(ctx); err != nil {
		return nil, err
	}
	dir, err := i.mountPoint(p.Number)
	if err != nil {
		return nil, err
	}
	m, err := mount.Volume(ctx, i.shown.Of(p.Number).Path, p.Kind, dir, mount.Options{ReadOnly: true, SectorSize: i.manifest.Disk.SectorSize})
	if err != nil {
		os.Remove(dir) // so that who asks again is told the same
		return nil, fmt.Errorf("partition %d: %w", p.Number, err)
	}
	i.mounts = append(i.mounts, m)
	root, err := rootfs.Open(dir)
	if err != nil {
		return nil, err
	}
	return mounted{root, p.Kind}, nil
}

// mountPoint makes a folder to mount a partition at.
func (i *Image) mountPoint(n int) (string, error) {
	if i.dir == "" {
		dir, err := os.MkdirTemp(i.scratch, "ingot-browse-")
		if err != nil {
			return "", err
		}
		i.dir = dir
	}
	dir := filepath.Join(i.dir, fmt.Sprintf("partition-%d", n))
	return dir, os.Mkdir(dir, 0o700)
}
