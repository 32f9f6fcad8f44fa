package ext

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/volume"
)

// describe fills everything of Info but what stands against the volume.
func describe(sb *superblock) volume.Info {
	info := volume.Info{
		Kind:      sb.kind(),
		Label:     sb.label,
		UUID:      formatUUID(sb.uuid),
		Size:      int64(sb.blocks) * sb.blockSize(),
		BlockSize: sb.blockSize(),
		Used:      -1,
	}
	if sb.freeBlocks <= sb.blocks {
		info.Used = int64(sb.blocks-sb.freeBlocks) * sb.blockSize()
	}
	return info
}

// notes says what is special about a volume and stands against nothing.
func notes(sb *superblock) []string {
	var out []string
	if sb.roCompat.has(roCompatBigalloc) {
		out = append(out, fmt.Sprintf("It allocates clusters of %d bytes.", int64(1024)<<sb.logClusterSize))
	}
	if id := formatUUID(sb.journalUUID); sb.compat.has(compatHasJournal) && sb.journalInode == 0 && id != "" {
		out = append(out, fmt.Sprintf("Its journal is on another device, with UUID %s, and it cannot be mounted without it.", id))
	}
	if sb.lastOrphan != 0 || sb.roCompat.has(roCompatOrphanPresent) {
		out = append(out, "Files that were deleted while open still take space; the next mount frees it.")
	}
	return out
}

// formatUUID returns the dashed lower-case spelling, "" for the nil UUID.
func formatUUID(u [16]byte) string {
	if u == [16]byte{} {
		return ""
	}
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// text returns a field that is padded with NULs as valid UTF-8.
func text(field []byte) string {
	field, _, _ = bytes.Cut(field, []byte{0})
	return strings.ToValidUTF8(string(field), "\uFFFD")
}
