package xfs

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/volume"
)

// Feature bits whose meaning for free space is known; in nearly all cases there
// is none. Source: xfs_format.h, XFS_SB_VERSION_*, XFS_SB_FEAT_*.
const (
	// The version number, and all of version 4's bits but SHARED, which no Linux
	// kernel mounts.
	knownVersionBits = 0xfdff
	knownFeatures2   = 0x38a // lazy-count, attr2, 32-bit project IDs, crc, ftype

	knownROCompat = 0xf  // finobt, rmapbt, reflink, inobtcount
	knownIncompat = 0xff // ftype, sparse inodes, meta_uuid, bigtime, needsrepair, nrext64, exchange-range, parent

	features2Lazy       = 0x2
	incompatMetaUUID    = 0x4
	incompatNeedsRepair = 0x10
)

// needsReplay is the refusal of a log that holds more than its unmount record.
func needsReplay() volume.Refusal {
	return volume.Refusal{
		Reason:   volume.NeedsReplay,
		What:     "the log holds changes that may not have reached the free-space trees",
		Do:       "Mount it once and unmount it cleanly; if that is impossible, xfs_repair -L gives up those changes.",
		Waivable: true,
	}
}

// refusals is everything but the log that stands against a used map of a
// volume of size bytes, worst first.
func refusals(sb *superblock, size int64) []volume.Refusal {
	var out []volume.Refusal
	refuse := func(reason volume.Reason, do, format string, args ...any) {
		out = append(out, volume.Refusal{Reason: reason, What: fmt.Sprintf(format, args...), Do: do})
	}
	const (
		raw    = "Capture it raw, or file by file."
		repair = "Run xfs_repair on it."
	)
	if sb.InProgress != 0 {
		refuse(volume.Damaged, "Make the file system again; it was never finished.", "mkfs or xfs_copy was interrupted on it")
	}
	if sb.Incompat&incompatNeedsRepair != 0 {
		refuse(volume.Damaged, repair, "it is marked as in need of repair")
	}
	if length := int64(sb.Blocks) * sb.blockSize(); length > size {
		refuse(volume.Damaged, "Make the volume as large as it was, then run xfs_repair.", "the file system has %d bytes, the volume only %d", length, size)
	}
	if name := unknownFeatures(sb); name != "" {
		refuse(volume.Unknown, "Capture it raw, or use a newer version of this program.", "it uses %s, which this program does not know", name)
	}
	if sb.LogStart == 0 {
		refuse(volume.Unsupported, raw, "its log is on another device")
	}
	if sb.RTBlocks != 0 || sb.RTExtents != 0 {
		refuse(volume.Unsupported, raw, "it has a real-time device")
	}
	return out
}

// unknownFeatures names the feature bits that this reader does not know, "" when
// it knows all. Compatible features and those of the log alone cannot change
// where free space is.
func unknownFeatures(sb *superblock) string {
	for _, field := range []struct {
		name        string
		bits, known uint32
	}{
		{"incompatible feature", sb.Incompat, knownIncompat},
		{"read-only compatible feature", sb.ROCompat, knownROCompat},
		{"version flag", uint32(sb.Version), knownVersionBits},
		{"features2 flag", sb.features2(), knownFeatures2},
	} {
		if unknown := field.bits &^ field.known; unknown != 0 {
			return fmt.Sprintf("%s %#x", field.name, unknown)
		}
	}
	return ""
}
