// Package btrfs reads the used map of a btrfs file system on one device.
//
// Space in btrfs is allocated by logical address. The chunk tree maps logical
// addresses to places on the device, and the extent tree lists what is in use;
// the used map is the second seen through the first, plus what lies outside
// both: the superblocks and the boot area. A start is made in New, the map is
// made in used.go.
//
// A committed btrfs is consistent at any time, so there is no dirty state; a
// tree log that waits for its replay is refused, waivably, and when waived its
// blocks are part of the map. Refused for good are file systems of several
// devices, zoned ones, unfinished conversions, and whatever a feature flag
// announces that this package does not know.
//
// Every tree block is checked as the kernel checks it, and the sum of the
// extents must be what the superblock says. Sources: the kernel's
// include/uapi/linux/btrfs_tree.h and btrfs.h, whose struct names are given
// here, and the on-disk format page of the btrfs documentation.
package btrfs

import (
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const kind = "btrfs"

// New returns the format.
func New() volume.Format { return format{} }

type format struct{}

func (format) Name() string { return kind }

// Recognise looks for the magic of the first superblock alone: a copy without
// it is what a later format of the device left over.
func (format) Recognise(r block.Reader) (bool, error) {
	if r.Size() < superOffsets[0]+superSize {
		return false, nil
	}
	var got [len(magic)]byte
	if err := block.ReadFull(r, got[:], superOffsets[0]+superMagic); err != nil {
		return false, err
	}
	return string(got[:]) == magic, nil
}

func (format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	sb, refusals, err := findSuperblock(r)
	if err != nil {
		return nil, err
	}
	v := &fileSystem{r: r, sb: sb, info: volume.Info{
		Kind:      kind,
		Label:     sb.label,
		UUID:      sb.fsid.String(),
		Size:      sb.deviceBytes,
		BlockSize: sb.sectorSize,
		Used:      sb.bytesUsed,
		Refusals:  append(refusals, sb.refusals(r.Size())...),
	}}
	if v.info.Blocking() != nil {
		return v, nil
	}
	if err := v.readMaps(ctx); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		v.info.Refusals = append([]volume.Refusal{refusalFor(err)}, v.info.Refusals...)
	}
	return v, nil
}

// fileSystem is an opened btrfs.
type fileSystem struct {
	r      block.Reader
	sb     *superblock
	chunks chunkMap // empty when a refusal blocks the used map
	info   volume.Info
}

func (v *fileSystem) Info() volume.Info { return v.info }

func (v *fileSystem) readMaps(ctx context.Context) error {
	var err error
	if v.chunks, err = readChunks(ctx, v.r, v.sb); err != nil {
		return err
	}
	v.info.Notes, err = notes(ctx, v.forest())
	return err
}

func (v *fileSystem) forest() *forest {
	return &forest{r: v.r, sb: v.sb, chunks: v.chunks}
}

func (v *fileSystem) Used(ctx context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	return v.forest().used(ctx)
}

// refusalFor turns what stopped the reading of a tree into what the user is told.
func refusalFor(err error) volume.Refusal {
	var refused *volume.RefusedError
	if errors.As(err, &refused) {
		return refused.Refusal
	}
	return volume.Refusal{
		Reason: volume.Damaged,
		What:   err.Error(),
		Do:     "Run btrfs check --readonly on it and follow its advice.",
	}
}

func damage(what string, offset int64, why string) error {
	return &volume.DamageError{Kind: kind, What: what, Offset: offset, Why: why}
}
