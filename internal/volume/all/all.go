// Package all is the list of volume formats, in the order in which they are tried.
package all

import (
	"slices"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/bitlocker"
	"github.com/ingot-imaging/ingot/internal/volume/btrfs"
	"github.com/ingot-imaging/ingot/internal/volume/exfat"
	"github.com/ingot-imaging/ingot/internal/volume/ext"
	"github.com/ingot-imaging/ingot/internal/volume/fat"
	"github.com/ingot-imaging/ingot/internal/volume/luks"
	"github.com/ingot-imaging/ingot/internal/volume/lvm"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/swap"
	"github.com/ingot-imaging/ingot/internal/volume/xfs"
)

// Formats returns every format that this program reads. What a later mkfs may
// leave behind is tried late: LUKS2 is known by its second header and NTFS by its
// backup boot sector too, and a FAT boot sector survives in the unused first
// sectors of many formats. BitLocker To Go looks like FAT.
func Formats() []volume.Format {
	bare := []volume.Format{
		bitlocker.New(),
		btrfs.New(),
		xfs.New(),
		ext.New(),
		swap.New(),
		exfat.New(),
		luks.New(),
		ntfs.New(),
		fat.New(),
	}
	return slices.Insert(bare, 0, lvm.New(bare))
}
