package ext

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// s_state (EXT4_VALID_FS, EXT4_ERROR_FS, EXT4_ORPHAN_FS).
const (
	stateClean   = 0x1
	stateErrors  = 0x2
	stateOrphans = 0x4 // an orphan clean-up was cut short
)

const maxRevision = 1 // EXT4_MAX_SUPP_REV

const checkIt = "Run e2fsck -f on it; --raw takes every sector instead."

// unknownLayout lists what makes it uncertain that the bitmaps are where we
// look for them, and mean what we think.
func unknownLayout(sb *superblock) []volume.Refusal {
	what := ""
	switch {
	case sb.revision > maxRevision:
		what = fmt.Sprintf("its revision %d is not known", sb.revision)
	case sb.unknownFeatures() != "":
		what = "it has features that are not known: " + sb.unknownFeatures()
	case sb.roCompat.has(roCompatMetadataChecksum) && sb.checksumType != checksumCRC32C:
		what = fmt.Sprintf("its checksums are of type %d, which is not known", sb.checksumType)
	default:
		return nil
	}
	return []volume.Refusal{{
		Reason: volume.Unknown,
		What:   what,
		Do:     "Use a newer version of ingot; --raw takes every sector instead.",
	}}
}

// refusals lists what stands against the used map of a volume whose layout is
// known, worst first. The error is one of reading.
func refusals(sb *superblock, r block.Reader) ([]volume.Refusal, error) {
	if size := int64(sb.blocks) * sb.blockSize(); size > r.Size() {
		return []volume.Refusal{truncated(size, r.Size())}, nil
	}
	var out []volume.Refusal
	if sb.incompat.has(incompatRecover) {
		out = append(out, volume.Refusal{
			Reason:   volume.NeedsReplay,
			What:     "its journal holds changes that are not yet written, or it is mounted",
			Do:       "Mount it once and unmount it cleanly, or run e2fsck -f on it; --raw takes every sector instead.",
			Waivable: true,
		})
	}
	busy, err := inUse(sb, r)
	if err != nil {
		return nil, err
	}
	if busy != "" {
		out = append(out, dirty(busy, "Unmount it there; if no other host has it open, run tune2fs -f -E clear_mmp and e2fsck -f on it."))
	}
	switch {
	case sb.state&stateErrors != 0 || sb.errorCount > 0:
		out = append(out, dirty(fmt.Sprintf("it has recorded %d errors", max(1, sb.errorCount)), checkIt))
	case sb.state&stateClean == 0 || sb.state&stateOrphans != 0:
		out = append(out, dirty("it was not cleanly unmounted, or is mounted", "Unmount it, or run e2fsck -f on it; --raw takes every sector instead."))
	}
	return out, nil
}

func truncated(claimed, size int64) volume.Refusal {
	return volume.Refusal{
		Reason: volume.Damaged,
		What:   fmt.Sprintf("it claims %d bytes, and there are only %d", claimed, size),
		Do:     "Give its partition the whole size again; --raw takes every sector there is.",
	}
}

func dirty(what, do string) volume.Refusal {
	return volume.Refusal{Reason: volume.Dirty, What: what, Do: do, Waivable: true}
}
