package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/content"
	"github.com/ingot-imaging/ingot/internal/system"
)

// pathHelp explains a PATH, for the help of the commands that take one.
const pathHelp = `PATH is one of the system, /etc/hosts, with its other volumes at their places, as
its fstab says: /boot, /home; or one on partition 2 alone, 2:/etc/hosts. Links are
followed inside the image, never out of it. On NTFS, FAT and exFAT upper and lower
case are the same.

Volumes that were captured by blocks are mounted read-only, in a namespace that
nobody else sees; this needs root. What was captured with --files needs no root.`

// place is where a PATH leads: into a partition, or the system.
type place struct {
	partition int // wholeSystem: that of the system
	path      string
}

const wholeSystem = -1

// parsePlace reads a PATH of the command line.
func parsePlace(arg string) place {
	if number, path, ok := strings.Cut(arg, ":"); ok {
		if n, err := strconv.ParseUint(number, 10, 16); err == nil {
			return place{int(n), path}
		}
	}
	return place{wholeSystem, arg}
}

// browseImage finds an image in the store, for its files to be read.
func (a *App) browseImage(ctx context.Context, ref string) (*browse.Image, error) {
	s, img, err := a.openImage(ctx, ref)
	if err != nil {
		return nil, err
	}
	return browse.New(content.NewStored(s, img.Manifest), img.Manifest, scratchFolder("")), nil
}

// mountsFor gets private mounts where the files of a place are read through one.
// Nothing must have been printed yet.
func (a *App) mountsFor(img *browse.Image, partition int) error {
	for _, p := range img.Partitions() {
		if !p.Mounted() {
			continue
		}
		needed := p.Number == partition || partition == wholeSystem && system.HoldsSystems(p.Kind)
		if needed || partition == wholeSystem && os.Geteuid() == 0 {
			return a.privateMounts(fmt.Sprintf("partition %d was captured by blocks, so its files are read by mounting it", p.Number))
		}
	}
	return nil
}

// withTree calls do with the tree of a place in an image.
func (a *App) withTree(ctx context.Context, ref string, at place, do func(*browse.Tree) error) (err error) {
	img, err := a.browseImage(ctx, ref)
	if err != nil {
		return err
	}
	if err := a.mountsFor(img, at.partition); err != nil {
		return err
	}
	defer func() { err = a.endOfStream(errors.Join(err, img.Close())) }()
	t, err := a.treeOf(ctx, img, at.partition)
	if err != nil {
		return err
	}
	return do(t)
}

func (a *App) treeOf(ctx context.Context, img *browse.Image, partition int) (*browse.Tree, error) {
	if partition != wholeSystem {
		return img.Volume(ctx, partition)
	}
	t, _, err := img.System(ctx)
	if err != nil {
		return nil, err
	}
	for _, m := range t.Missing {
		if a.verbose {
			a.Note("%s", m)
		}
	}
	return t, nil
}
