package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/progress"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/wim"
)

// exporting is an export that is going on.
type exporting struct {
	a      *App
	source *content.Stored
	image  *browse.Image
	opts   exportOptions
	work   *progress.Work
}

// describe completes what the WIM says of itself.
func (e *exporting) describe(img catalog.Image) {
	e.opts.Name = cmp.Or(e.opts.Name, img.Name())
	e.opts.Description = cmp.Or(e.opts.Description, img.Manifest.Note)
}

// choose returns the volume to export: that of the system, or the only one of NTFS.
func (e *exporting) choose(ctx context.Context) (browse.Partition, error) {
	var all []browse.Partition
	for _, p := range e.image.Partitions() {
		if p.Number == e.opts.partition {
			if p.Kind != "ntfs" {
				return p, refuse("partition %d holds %s, and a WIM is made of NTFS", p.Number, p.Kind)
			}
			return p, nil
		}
		if p.Kind == "ntfs" {
			all = append(all, p)
		}
	}
	switch {
	case e.opts.partition != wholeSystem:
		return browse.Partition{}, &browse.NoPartitionError{Number: e.opts.partition, Have: numbersOf(e.image.Partitions())}
	case len(all) == 0:
		return browse.Partition{}, refuse("the image holds no NTFS, of which a WIM is made")
	case len(all) == 1:
		return all[0], nil
	}
	t, _, err := e.image.System(ctx)
	if err == nil {
		for _, p := range all {
			if p.Number == t.Partition() {
				return p, nil
			}
		}
	}
	return browse.Partition{}, usageError{fmt.Errorf("none of the NTFS volumes on partitions %v holds Windows; name one with --partition", numbersOf(all))}
}

func numbersOf(all []browse.Partition) (numbers []int) {
	for _, p := range all {
		numbers = append(numbers, p.Number)
	}
	return numbers
}

// run makes the file under another name, verifies it, and gives it its name.
func (e *exporting) run(ctx context.Context, p browse.Partition, file string) (exported, error) {
	defer e.a.show(e.work)()
	volume, remove, err := e.volume(ctx, p)
	if err != nil {
		return exported{}, err
	}
	defer remove()
	dir, err := os.MkdirTemp(filepath.Dir(file), ".ingot-export-")
	if err != nil {
		return exported{}, err
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "wim")
	if err := wim.Capture(ctx, volume, made, e.opts.CaptureOptions, percentOf(e.work, "compress")); err != nil {
		return exported{}, err
	}
	result, err := e.finish(ctx, made)
	if err != nil {
		return exported{}, err
	}
	result.File, result.Partition = file, p.Number
	return result, os.Rename(made, file)
}

// finish completes and verifies a new WIM.
func (e *exporting) finish(ctx context.Context, made string) (exported, error) {
	images, err := wim.List(ctx, made)
	if err != nil {
		return exported{}, err
	}
	if err := wim.SetWindows(ctx, made, images[0]); err != nil {
		return exported{}, err
	}
	if err := wim.Verify(ctx, made, percentOf(e.work, "verify")); err != nil {
		return exported{}, err
	}
	f, err := os.Open(made)
	if err != nil {
		return exported{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return exported{}, err
	}
	return exported{Bytes: info.Size(), Files: images[0].Files, Name: images[0].Name, Edition: images[0].Windows.Edition}, f.Sync()
}

// volume is the NTFS volume of p as a file.
func (e *exporting) volume(ctx context.Context, p browse.Partition) (path string, remove func(), err error) {
	if p.Method != image.FileByFile {
		path, err := e.image.VolumeFile(ctx, p.Number)
		return path, func() {}, err
	}
	v, err := files.Open(ctx, e.source, p.Number)
	if err != nil {
		return "", nil, err
	}
	size := wim.Fit(v.Listing.Bytes(), int64(len(v.Listing.Entries)))
	path, remove, err = scratchVolume(scratchFolder(e.opts.scratch), size.Volume, size.Needed)
	if err != nil {
		return "", nil, err
	}
	if err := e.fill(ctx, v, path); err != nil {
		remove()
		return "", nil, err
	}
	return path, remove, nil
}

// fill makes an NTFS volume with the files of v.
func (e *exporting) fill(ctx context.Context, v *files.Volume, path string) error {
	if err := (resize.Volume{Path: path, Kind: "ntfs"}).Make(ctx, resize.Spec{Kind: "ntfs"}); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(scratchFolder(e.opts.scratch), "ingot-export-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	m, err := mount.Volume(ctx, path, "ntfs", dir, mount.Options{})
	if err != nil {
		return err
	}
	lost, err := v.Apply(ctx, dir, e.work)
	for _, l := range lost {
		e.a.Note("not kept: %s, of %d files, the first %s", l.What, l.Files, browse.Printable(l.First))
	}
	return errors.Join(err, m.Close())
}
