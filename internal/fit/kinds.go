package fit

import "slices"

// Units of size, bytes.
const (
	mib = 1 << 20
	tib = 1 << 40
)

// grows reports whether a volume of the kind can be made larger where it is, as
// package resize does it. The smaller FATs have too few clusters for more.
func grows(kind string) bool { return unix(kind) || kind == "ntfs" || kind == "fat32" }

// Shrinks reports whether a volume of the kind can be made smaller where it is.
// XFS cannot: its xfs_growfs gives back the end of the last allocation group at
// most (xfs_growfs(8)).
func Shrinks(kind string) bool { return grows(kind) && kind != "xfs" && kind != "fat32" }

// remade reports whether a volume can be made anew with its files.
func remade(kind string) bool {
	return grows(kind) || kind == "fat12" || kind == "fat16"
}

// unix reports whether volumes of the kind can take each other's files with all
// their attributes.
func unix(kind string) bool {
	return slices.Contains([]string{"ext2", "ext3", "ext4", "xfs", "btrfs"}, kind)
}

// opaque reports whether a volume of the kind holds what we do not look into:
// logical volumes, encrypted volumes, whatever no format recognised.
func opaque(kind string) bool {
	return slices.Contains([]string{"lvm2", "luks1", "luks2", "bitlocker", "jbd", "unknown", ""}, kind)
}

// leastBytes is the smallest file system of a kind that its mkfs makes for a disk
// with the given sectors.
//
//   - XFS: mkfs.xfs refuses less than 300 MB since xfsprogs 5.19.
//   - btrfs: mkfs.btrfs wants 109 MiB with its defaults (16 KiB nodes, metadata twice).
//   - FAT32 has at least 65,525 clusters (Microsoft FAT specification, section
//     3.5) of at least a sector; with sectors of 4096 bytes that is 256 MiB, and
//     Microsoft asks for 260 MB on such disks (Windows hardware documentation,
//     'UEFI/GPT-based hard drive partitions').
func leastBytes(kind string, sectorSize int) int64 {
	switch kind {
	case "xfs":
		return 300 * mib
	case "btrfs":
		return 128 * mib
	case "fat32":
		return 65600*int64(sectorSize) + 4*mib
	}
	return mib
}

// mostBytes is how large a volume can become, as far as its kind tells.
//
//   - NTFS counts clusters in 32 bits as Windows implements it (Microsoft, 'NTFS
//     overview'); a cluster keeps its size when the volume grows.
//   - FAT32 counts sectors in 32 bits (FAT specification, BPB_TotSec32).
//   - ext2 and ext3 count blocks in 32 bits (ext4 documentation, 'Blocks').
func mostBytes(v *Volume, kind string, sectorSize int) int64 {
	const most = 1<<32 - 1
	switch {
	case kind == "fat32":
		return most * int64(sectorSize)
	case v.BlockSize <= 0 || v.BlockSize > 1<<21 || kind != v.Kind:
	case kind == "ntfs", kind == "ext2", kind == "ext3":
		return most * v.BlockSize
	}
	return maxDisk
}

// survives reports whether a volume can be read when it moves, byte by byte, from
// sectors of old bytes to sectors of size bytes.
//
//   - ext: the kernel sets the device's block size to the file system's, which it
//     cannot when that is smaller than a sector (sb_set_blocksize, used by
//     ext4_load_super). Nothing in it counts in sectors.
//   - btrfs: likewise with its own 'sectorsize', which Info.BlockSize is.
//   - XFS keeps the sector size in its superblock and refuses a device with larger
//     ones (xfs_setsize_buftarg). On one with smaller sectors it works.
//   - swap counts in pages.
//   - FAT, exFAT and NTFS have 'bytes per sector' in their boot sectors, which
//     Windows and firmware expect to be the disk's.
//   - Of what we do not look into we know nothing, unless there is nothing in it.
func survives(v *Volume, old, size int) bool {
	switch v.Kind {
	case "ext2", "ext3", "ext4", "btrfs":
		return size < old || v.BlockSize >= int64(size)
	case "xfs":
		return size < old
	case "swap":
		return true
	}
	return opaque(v.Kind) && v.End == 0
}

// reserve is the room that a volume of n bytes keeps free when it is made as small
// as it can be: a system that cannot write its logs does not start.
func reserve(n int64) int64 { return max(64*mib, n/20) }
