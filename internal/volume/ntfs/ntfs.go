// Package ntfs reads the used map of NTFS volumes, versions 1.x and 3.x.
//
// It owns the boot sector and its backup, MFT records with their update
// sequence, run lists with their attribute lists, $Bitmap, and the three
// places that say whether Windows is done with a volume: the flags in $Volume,
// the restart pages of $LogFile and the header of hiberfil.sys. It reads names
// in the root directory only, to find the page and hibernation files.
//
// It refuses what Windows has not finished with (dirty, log to be replayed,
// hibernated), a volume larger than its partition and structures that
// contradict each other. It decompresses and decrypts nothing, for it looks
// into no user's file.
//
// Start at Open; Used is in used.go and Omit in omit.go. The layouts are those
// of the Linux kernel's fs/ntfs3/ntfs.h and of ntfs-3g's layout.h, whose names
// of structures the comments give.
package ntfs

import (
	"context"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

const kind = "ntfs"

type format struct{}

// New returns the NTFS reader. A volume whose boot sector was overwritten is
// recognised by the backup in its last sector, which other formats leave alone:
// so formats that have a signature of their own are better tried first.
func New() volume.Format { return format{} }

func (format) Name() string { return kind }

func (format) Recognise(r block.Reader) (bool, error) {
	if r.Size() < bootSize {
		return false, nil
	}
	p := make([]byte, bootSize)
	if err := block.ReadFull(r, p, 0); err != nil {
		return false, err
	}
	if hasOEM(p) {
		return true, nil
	}
	_, ok, err := findBackup(r)
	return ok, err
}

// vol is an opened volume.
type vol struct {
	r      block.Reader
	boot   boot
	mft    mft
	bitmap stream
	system []systemFile
	info   volume.Info
}

var _ volume.Omitter = (*vol)(nil)

func (format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	b, fromBackup, err := readBoot(r)
	if err != nil {
		return nil, err
	}
	v := &vol{r: r, boot: b, info: volume.Info{
		Kind:      kind,
		UUID:      fmt.Sprintf("%016X", b.serial),
		Size:      min(b.claimed(), r.Size()),
		BlockSize: b.cluster,
		Used:      -1,
	}}
	if fromBackup {
		v.refuse(refusedBackupBoot())
	}
	if b.bytes() > r.Size() {
		v.refuse(refusedTruncated(b.bytes(), r.Size()))
		return v, nil
	}
	if err := v.describe(ctx); err != nil {
		var damage *volume.DamageError
		if !errors.As(err, &damage) {
			return nil, err
		}
		v.info.Refusals = append([]volume.Refusal{refusedDamage(damage)}, v.info.Refusals...)
		return v, nil
	}
	ok, err := b.hasBackup(r)
	if err != nil {
		return nil, err
	}
	if !ok {
		v.info.Notes = append(v.info.Notes, "The backup boot sector is missing or differs from the first one.")
	}
	return v, nil
}

func (v *vol) Info() volume.Info { return v.info }

func (v *vol) refuse(r volume.Refusal) { v.info.Refusals = append(v.info.Refusals, r) }

// describe fills Info and finds the metadata files. Its DamageError means that
// no used map can be had.
func (v *vol) describe(ctx context.Context) error {
	var err error
	if v.mft, err = openMFT(ctx, v.r, v.boot); err != nil {
		return err
	}
	if err := v.findSystemFiles(ctx); err != nil {
		return err
	}
	if err := v.compareMirror(ctx); err != nil {
		return err
	}
	flags, err := v.readVolumeRecord()
	if err != nil {
		return err
	}
	if err := v.checkHibernation(ctx); err != nil {
		return err
	}
	if err := v.checkLog(ctx); err != nil {
		return err
	}
	v.checkFlags(flags)
	return nil
}

// damaged is a DamageError of this format.
func damaged(what string, offset int64, format string, args ...any) error {
	return &volume.DamageError{Kind: kind, What: what, Offset: offset, Why: fmt.Sprintf(format, args...)}
}

// bytesOf is the extent of clusters [first, first+n).
func (b boot) bytesOf(first, n int64) extent.Extent {
	return extent.Extent{Start: first * b.cluster, Length: n * b.cluster}
}
