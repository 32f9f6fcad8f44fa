package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"syscall"

	"github.com/spf13/pflag"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/image"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/survey"
	"github.com/ingot-imaging/ingot/internal/volume/all"
)

// fileOptions are the wishes of a capture file by file.
type fileOptions struct {
	files   bool
	exclude []string
	all     bool
	from    string // what the image says that it was taken of; "": SOURCE
}

func (o *fileOptions) add(f *pflag.FlagSet) {
	f.BoolVar(&o.files, "files", false, "take volumes as trees of files; SOURCE may be a directory")
	f.StringArrayVar(&o.exclude, "exclude", nil, "with --files, leave out what `pattern` names; may be repeated")
	f.BoolVar(&o.all, "include-all", false, "with --files, leave out nothing but what --exclude names")
}

func (o *fileOptions) check(opts capture.Options) error {
	switch {
	case !o.files && (len(o.exclude) > 0 || o.all):
		return usageError{errors.New("--exclude and --include-all are for captures with --files")}
	case o.files && opts.Raw:
		return usageError{errors.New("--raw takes sectors and --files takes files: give one of them")}
	}
	return nil
}

// taking is what a capture takes, and what must stay open meanwhile.
type taking struct {
	plan  *capture.Plan
	trees []*files.Tree
	open  []io.Closer
}

// Close closes what was opened, the last first.
func (t *taking) Close() error {
	var err error
	for _, c := range slices.Backward(t.open) {
		err = errors.Join(err, c.Close())
	}
	t.open = nil
	return err
}

// planTaking opens a source and decides what is taken of it.
func (a *App) planTaking(ctx context.Context, path string, opts capture.Options, fo fileOptions) (*taking, error) {
	t := &taking{}
	err := a.fillTaking(ctx, t, path, opts, fo)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	t.plan.Disk.Path = cmp.Or(fo.from, t.plan.Disk.Path)
	return t, nil
}

func (a *App) fillTaking(ctx context.Context, t *taking, path string, opts capture.Options, fo fileOptions) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if !fo.files {
			return refuse("%s is a directory: --files takes its files", path)
		}
		return t.directory(ctx, path, fo)
	}
	if fo.files {
		if err := a.privateMounts("the files of a disk are read through a mount"); err != nil {
			return err
		}
	}
	src, err := openSource(path)
	if err != nil {
		return err
	}
	t.open = append(t.open, src)
	if !fo.files {
		t.plan, err = planCapture(ctx, src, opts)
		return err
	}
	return t.disk(ctx, src, opts, fo)
}

// directory takes the files below a directory of this machine.
func (t *taking) directory(ctx context.Context, path string, fo fileOptions) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(path, &st); err != nil {
		return &os.PathError{Op: "statfs", Path: path, Err: err}
	}
	const readOnly = 1 // ST_RDONLY of statvfs(3)
	tree, err := t.walk(ctx, path, fo, files.WalkOptions{Live: st.Flags&readOnly == 0})
	if err != nil {
		return err
	}
	size := max(int64(st.Blocks)*st.Bsize, block.DefaultSectorSize)
	t.plan = &capture.Plan{Disk: image.Disk{Path: path, Size: size, SectorSize: block.DefaultSectorSize}}
	used := int64(st.Blocks-st.Bfree) * st.Bsize
	t.add(tree, image.Volume{Kind: cmp.Or(tree.Listing.Kind, "directory"), Size: size, Used: used}, 0)
	return nil
}

// byFiles are the kinds of volumes that are taken file by file. FAT is not: the
// volumes that are FAT are small, start machines, and hold no more than names.
var byFiles = []string{"ext2", "ext3", "ext4", "xfs", "btrfs", "ntfs"}

// disk takes the volumes of a disk that hold files, and everything else of it by
// blocks.
func (t *taking) disk(ctx context.Context, src *host.Source, opts capture.Options, fo fileOptions) error {
	if err := refuseUnfinished(src); err != nil {
		return err
	}
	disk, err := survey.Look(ctx, src, all.Formats())
	if err != nil {
		return fmt.Errorf("%s: %w", src.Path(), err)
	}
	var chosen []survey.Volume
	rest := *disk
	rest.Volumes = nil
	for _, v := range disk.Volumes {
		wanted := len(opts.Partitions) == 0 || slices.Contains(opts.Partitions, v.Partition.Number)
		// What is not clean is refused, or taken whole, as it is without --files.
		if wanted && v.Damage == nil && v.Info.Clean() && slices.Contains(byFiles, v.Info.Kind) {
			chosen = append(chosen, v)
			continue
		}
		rest.Volumes = append(rest.Volumes, v)
	}
	if err := t.byBlocks(ctx, src, &rest, chosen, opts); err != nil {
		return err
	}
	for _, v := range chosen {
		if err := t.volume(ctx, src, v, fo); err != nil {
			return err
		}
	}
	return nil
}

// byBlocks plans what is left when the volumes that are taken file by file are
// not looked at.
func (t *taking) byBlocks(ctx context.Context, src *host.Source, rest *survey.Disk, chosen []survey.Volume, opts capture.Options) (err error) {
	partial := len(opts.Partitions) > 0
	opts.Partitions = slices.DeleteFunc(slices.Clone(opts.Partitions), func(n int) bool {
		return slices.ContainsFunc(chosen, func(v survey.Volume) bool { return v.Partition.Number == n })
	})
	if partial && len(opts.Partitions) == 0 {
		rest.Volumes, rest.Gaps = nil, nil
	}
	if t.plan, err = capture.NewPlan(ctx, src, describeSource(src, rest), rest, opts); err != nil {
		return err
	}
	t.plan.Partial = partial
	return nil
}

// volume takes the files of one volume.
func (t *taking) volume(ctx context.Context, src *host.Source, v survey.Volume, fo fileOptions) error {
	spec, err := resize.SpecOf(ctx, v.Window, v.Info.Kind)
	if err != nil {
		return fmt.Errorf("%s: %w", v.Info.Kind, err)
	}
	dir, err := t.mountPoint()
	if err != nil {
		return err
	}
	m, err := mount.Volume(ctx, src.Path(), v.Info.Kind, dir, mount.Options{
		ReadOnly: true, Offset: v.Start(), Size: v.Window.Size(), SectorSize: src.SectorSize(),
	})
	if err != nil {
		return err
	}
	t.open = append(t.open, m)
	tree, err := t.walk(ctx, dir, fo, files.WalkOptions{Kind: v.Info.Kind, Spec: spec.Words()})
	if err != nil {
		return err
	}
	t.add(tree, image.Volume{
		Kind: v.Info.Kind, Label: v.Info.Label, UUID: v.Info.UUID, Size: v.Info.Size, BlockSize: v.Info.BlockSize,
		Used: max(v.Info.Used, 0), Notes: v.Info.Notes,
	}, v.Partition.Number)
	return nil
}

// folder is an empty folder that is removed when it is closed.
type folder string

func (f folder) Close() error { return os.Remove(string(f)) }

func (t *taking) mountPoint() (string, error) {
	dir, err := os.MkdirTemp("", "ingot-")
	if err == nil {
		t.open = append(t.open, folder(dir))
	}
	return dir, err
}

func (t *taking) walk(ctx context.Context, dir string, fo fileOptions, opts files.WalkOptions) (*files.Tree, error) {
	opts.Exclude, opts.All, opts.Place = fo.exclude, fo.all, host.FirstPlace
	tree, err := files.Walk(ctx, dir, opts)
	if is[*files.PatternError](err) {
		return nil, usageError{err}
	}
	if err != nil {
		return nil, err
	}
	t.open, t.trees = append(t.open, tree), append(t.trees, tree)
	return tree, nil
}

// add adds the two regions of a tree to the plan.
func (t *taking) add(tree *files.Tree, v image.Volume, partition int) {
	v.Method, v.Files = image.FileByFile, int64(len(tree.Listing.Entries))
	listing := bytes.NewReader(tree.Listing.Encode())
	contents := tree.Contents()
	t.plan.Regions = append(t.plan.Regions,
		capture.Region{
			Region: image.Region{Role: image.Listing, Partition: partition, Size: listing.Size(), Volume: &v, Rest: image.Zeros},
			Window: listing, Used: extent.Of(extent.Extent{Length: listing.Size()}), Notes: tree.Notes,
		},
		capture.Region{
			Region: image.Region{Role: image.Contents, Partition: partition, Size: contents.Size(), Volume: &v, Rest: image.Free, Omitted: tree.Omitted},
			Window: contents, Used: tree.Used(),
		})
}

// changedError says that files were written to while they were read. The image is
// there; the exit code is that of an image with unreadable parts.
type changedError struct{ changed []files.Change }

func (e *changedError) Error() string {
	return fmt.Sprintf("%d files changed while they were read; what the image has of them may be old, new or both", len(e.changed))
}

func (e *changedError) Is(target error) bool { return target == errUnreadable }

// changed are the files of all trees that changed while they were read.
func (t *taking) changed() []files.Change {
	var all []files.Change
	for _, tree := range t.trees {
		all = append(all, tree.Changed()...)
	}
	return all
}

// noted is how many files the notes of an image name.
const noted = 20

// note keeps with the image that files changed.
func (t *taking) note(m *image.Manifest) {
	i := slices.IndexFunc(m.Regions, func(r image.Region) bool { return r.Role == image.Contents })
	if i < 0 {
		return
	}
	v, changed := m.Regions[i].Volume, t.changed()
	for _, c := range changed[:min(len(changed), noted)] {
		v.Notes = append(v.Notes, fmt.Sprintf("%s: %s while it was read", c.Path, c.What))
	}
	if more := len(changed) - noted; more > 0 {
		v.Notes = append(v.Notes, fmt.Sprintf("and %d more files changed", more))
	}
}

// refuseFiles refuses an image that says nothing about where bytes lie on a disk.
func refuseFiles(m *image.Manifest, name string) error {
	if image.ByFiles(m.Regions) {
		return refuse("%s was captured file by file, and what it holds has no place on a disk: this needs an image by blocks", name)
	}
	return nil
}
