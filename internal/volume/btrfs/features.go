package btrfs

import (
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/volume"
)

// BTRFS_FEATURE_INCOMPAT_*.
const (
	incompatMixedBackref   = 1 << 0
	incompatMetadataUUID   = 1 << 10
	incompatZoned          = 1 << 12
	incompatExtentTreeV2   = 1 << 13
	incompatRaidStripeTree = 1 << 14
	incompatSimpleQuota    = 1 << 16

	// Bits 0 to 11 change what items say, not what the extent tree and the
	// chunk tree say about space.
	incompatKnown = 1<<12 - 1 | incompatSimpleQuota | incompatZoned
)

// BTRFS_FEATURE_COMPAT_RO_*: the free space tree and its valid bit, verity, and
// the block group tree, all of which leave extent items where they are.
const compatROKnown = 1<<4 - 1

// BTRFS_SUPER_FLAG_*, and BTRFS_HEADER_FLAG_* which share the field.
const (
	flagWritten    = 1 << 0
	flagReloc      = 1 << 1
	flagError      = 1 << 2
	flagSeeding    = 1 << 32
	flagMetadump   = 1 << 33
	flagMetadumpV2 = 1 << 34
	// 35 to 40 are the unfinished conversions of btrfstune: UUID, block group
	// tree, checksums.
	flagsConverting = 0x3f << 35

	flagsKnown = flagWritten | flagReloc | flagError | flagSeeding | flagMetadump | flagMetadumpV2 | flagsConverting
)

const takeRaw = "Capture the partition with --raw."

// refusals are those that the superblock alone gives, worst first. size is the
// volume's size in bytes.
func (sb *superblock) refusals(size int64) []volume.Refusal {
	rules := []struct {
		applies bool
		refusal volume.Refusal
	}{
		{sb.incompat&^incompatKnown != 0, volume.Refusal{Reason: volume.Unknown,
			What: "it uses features that this program does not know: " + incompatNames(sb.incompat&^incompatKnown), Do: takeRaw}},
		{sb.compatRO&^compatROKnown != 0, volume.Refusal{Reason: volume.Unknown,
			What: fmt.Sprintf("it uses read-only compatible features that this program does not know: %#x", sb.compatRO&^compatROKnown), Do: takeRaw}},
		{sb.flags&^flagsKnown != 0, volume.Refusal{Reason: volume.Unknown,
			What: fmt.Sprintf("its superblock has flags that this program does not know: %#x", sb.flags&^flagsKnown), Do: takeRaw}},
		{sb.incompat&incompatMixedBackref == 0, volume.Refusal{Reason: volume.Unsupported,
			What: "its extent tree is in the format of before Linux 2.6.31", Do: takeRaw}},
		{sb.incompat&incompatZoned != 0, volume.Refusal{Reason: volume.Unsupported,
			What: "it is made for a zoned device", Do: takeRaw}},
		{sb.devices != 1, volume.Refusal{Reason: volume.Unsupported,
			What: fmt.Sprintf("this is 1 of %d devices of file system %v", sb.devices, sb.fsid),
			Do:   "Capture all its devices with --raw, or remove all but one with btrfs device remove."}},
		{sb.flags&(flagMetadump|flagMetadumpV2) != 0, volume.Refusal{Reason: volume.Unsupported,
			What: "it is a metadata dump of btrfs-image, without file contents", Do: takeRaw}},
		{sb.deviceBytes > size, volume.Refusal{Reason: volume.Damaged,
			What: fmt.Sprintf("it takes up %d bytes, of which the partition has %d", sb.deviceBytes, size),
			Do:   "Make the partition as big as it was before."}},
		{sb.flags&flagsConverting != 0, volume.Refusal{Reason: volume.Dirty,
			What: "a conversion by btrfstune is not finished", Do: "Run the same btrfstune command on it again."}},
		{sb.flags&flagError != 0, volume.Refusal{Reason: volume.Dirty, Waivable: true,
			What: "it has recorded an error", Do: "Run btrfs check --readonly on it and follow its advice."}},
		{sb.logRoot.logical != 0, volume.Refusal{Reason: volume.NeedsReplay, Waivable: true,
			What: "its log tree holds changes that are not yet in the file system", Do: "Mount it once and unmount it cleanly."}},
	}
	var out []volume.Refusal
	for _, rule := range rules {
		if rule.applies {
			out = append(out, rule.refusal)
		}
	}
	return out
}

func incompatNames(bits uint64) string {
	var names []string
	if bits&incompatExtentTreeV2 != 0 {
		names = append(names, "extent-tree-v2")
	}
	if bits&incompatRaidStripeTree != 0 {
		names = append(names, "raid-stripe-tree")
	}
	if rest := bits &^ (incompatExtentTreeV2 | incompatRaidStripeTree); rest != 0 {
		names = append(names, fmt.Sprintf("%#x", rest))
	}
	return strings.Join(names, ", ")
}
