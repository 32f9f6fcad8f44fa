// Package fat reads the used map of FAT12, FAT16 and FAT32 volumes.
//
// It owns the boot sector (BPB), the file allocation tables, the volume label
// and the flags that tell a clean volume from a dirty one. It refuses what the
// two large drivers, Windows' and Linux', would not mount, and leaves alone what
// only looks like FAT: NTFS, exFAT, BitLocker and BitLocker To Go, the
// pseudo-superblock of JFS and HPFS, FAT without any signature (Atari, DOS 1.x).
// Files and directories are not read, but for the label in the root directory.
//
// The format is Microsoft's "FAT: General Overview of On-Disk Format", version
// 1.03 (fatgen103), and where Linux differs in what it accepts,
// include/uapi/linux/msdos_fs.h and fs/fat/inode.c. Callers start with New.
package fat

import (
	"context"
	"errors"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

type format struct{}

var _ volume.Format = format{}

// New returns the reader of FAT12, FAT16 and FAT32.
//
// A FAT boot sector can survive in the unused first sectors of other formats
// (ext, btrfs, swap), so FAT is to be tried after them.
func New() volume.Format { return format{} }

func (format) Name() string { return "fat" }

func (format) Recognise(r block.Reader) (bool, error) {
	sector, err := readBootSector(r)
	if err != nil || sector == nil {
		return false, err
	}
	_, err = parseGeometry(sector)
	return err == nil && signed(sector), nil
}

func (format) Open(ctx context.Context, r block.Reader) (volume.Volume, error) {
	sector, err := readBootSector(r)
	if err != nil {
		return nil, err
	}
	if sector == nil {
		return nil, &volume.DamageError{Kind: "fat", What: "boot sector", Why: "the volume is shorter than one sector"}
	}
	g, err := parseGeometry(sector)
	if err != nil {
		return nil, err
	}
	v := &fatVolume{r: r, geometry: g}
	if err := v.describe(ctx, sector); err != nil {
		return nil, err
	}
	return v, nil
}

// bootSectorBytes is what of the boot sector has a meaning, whatever the sector size.
const bootSectorBytes = 512

// readBootSector returns nil without an error for a volume too short to have one.
func readBootSector(r block.Reader) ([]byte, error) {
	sector := make([]byte, bootSectorBytes)
	err := block.ReadFull(r, sector, 0)
	if outside := (*block.RangeError)(nil); errors.As(err, &outside) {
		return nil, nil
	}
	return sector, err
}
