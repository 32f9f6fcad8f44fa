package exfat

import (
	"context"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type exfatVolume struct {
	*geometry
	r    block.Reader
	root root
	info volume.Info
}

var _ volume.Volume = (*exfatVolume)(nil)

// Info has no count of used bytes: PercentInUse is a percentage, and Linux does
// not keep it up to date.
func (v *exfatVolume) Info() volume.Info { return v.info }

func (v *exfatVolume) refuse(reason volume.Reason, waivable bool, what, do string) {
	v.info.Refusals = append(v.info.Refusals, volume.Refusal{Reason: reason, What: what, Do: do, Waivable: waivable})
}

// judgeBoot collects what the boot regions say against a used map.
func (v *exfatVolume) judgeBoot(b *boot) {
	if b.mainErr != nil {
		v.refuse(volume.Damaged, false, "the main boot region is damaged ("+b.mainErr.Error()+"), its backup is whole",
			"Run fsck.exfat on it, which restores the boot region from the backup (Windows: chkdsk /f).")
	}
	if b.size > v.r.Size() {
		v.refuse(volume.Damaged, false, fmt.Sprintf("it claims %d bytes, there are %d", b.size, v.r.Size()),
			"Find the rest of the volume, or copy out its files and format it again.")
	}
	if b.revision>>8 != 1 {
		v.refuse(volume.Unknown, false, fmt.Sprintf("exFAT revision %d.%d, only 1.x is known", b.revision>>8, b.revision&0xff),
			"Capture the partition with --raw.")
	}
	if b.flags&flagDirty != 0 {
		v.refuse(volume.Dirty, true, "it was not cleanly unmounted", "Unmount it, or run fsck.exfat (Windows: chkdsk /f) on it.")
	}
	if b.flags&flagMediaFailure != 0 {
		v.info.Notes = append(v.info.Notes, "The volume records that its medium failed before; reading it may fail, too.")
	}
	if b.backupErr != nil {
		v.info.Notes = append(v.info.Notes, "The backup boot region is damaged: "+b.backupErr.Error()+".")
	}
}

// Used returns everything in front of the cluster heap (boot regions, tables and
// what alignment leaves between them) and every cluster that an allocation bitmap
// has set. TexFAT's two bitmaps count both, since not every driver heeds the flag
// that says which one is active. What lies behind the last cluster has no meaning
// (section 2, Excess Space).
func (v *exfatVolume) Used(ctx context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	var allocated extent.List
	for i, b := range v.root.bitmaps[:v.tables] {
		list, err := v.readBitmap(ctx, b.cluster, bitmapName(i))
		if err != nil {
			return nil, err
		}
		allocated = allocated.Union(list)
	}
	if err := v.checkAllocated(ctx, allocated); err != nil {
		return nil, err
	}
	return extent.Of(extent.Extent{Length: v.heapStart}).Union(allocated), nil
}

// checkAllocated holds the map against the clusters that are in use for certain:
// those of the root directory, the bitmaps and the up-case table.
func (v *exfatVolume) checkAllocated(ctx context.Context, allocated extent.List) error {
	if err := v.checkChain(ctx, allocated, v.rootCluster, maxDirBytes, "root directory"); err != nil {
		return err
	}
	for i, b := range v.root.bitmaps[:v.tables] {
		if err := v.checkChain(ctx, allocated, b.cluster, v.bitmapBytes(), bitmapName(i)); err != nil {
			return err
		}
	}
	if u := v.root.upcase; u.present {
		return v.checkChain(ctx, allocated, u.cluster, u.length, "up-case table")
	}
	return nil
}
