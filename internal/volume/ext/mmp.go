package ext

import (
	"encoding/binary"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
)

// struct mmp_struct (fs/ext4/ext4.h), the sign that hosts sharing a disk leave.
const (
	mmpSize        = 1024
	mmpMagic       = 0x004D4D50
	mmpSeqClean    = 0xFF4D4D50
	mmpSeqCheck    = 0xE24D4D50
	offMMPSequence = 0x04
	offMMPNode     = 0x10 // 64 bytes
)

// inUse says as a clause who has the volume open by its multiple-mount
// protection block, "" when nobody has or there is none. The error is one of reading.
func inUse(sb *superblock, r block.Reader) (string, error) {
	if !sb.incompat.has(incompatMMP) {
		return "", nil
	}
	if sb.mmpBlock == 0 || sb.mmpBlock >= sb.blocks {
		return fmt.Sprintf("its multiple-mount protection is at block %d of %d", sb.mmpBlock, sb.blocks), nil
	}
	raw := make([]byte, mmpSize)
	if err := block.ReadFull(r, raw, int64(sb.mmpBlock)*sb.blockSize()); err != nil {
		return "", fmt.Errorf("read ext multiple-mount protection: %w", err)
	}
	le := binary.LittleEndian
	sequence := le.Uint32(raw[offMMPSequence:])
	switch {
	case le.Uint32(raw) != mmpMagic:
		return "its multiple-mount protection block is damaged", nil
	case sequence == mmpSeqClean:
		return "", nil
	case sequence == mmpSeqCheck:
		return "e2fsck is running on it, or was interrupted", nil
	}
	return fmt.Sprintf("multiple-mount protection says that %q has it open", text(raw[offMMPNode:offMMPNode+64])), nil
}
