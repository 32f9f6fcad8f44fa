package btrfs

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// superOffsets are the places of the superblock and its copies; those that do
// not fit on the device do not exist (btrfs_sb_offset).
var superOffsets = [...]int64{64 << 10, 64 << 20, 256 << 30}

type uuid [16]byte

func (u uuid) String() string {
	h := hex.EncodeToString(u[:])
	return strings.Join([]string{h[:8], h[8:12], h[12:16], h[16:20], h[20:]}, "-")
}

// superblock is what this package needs of one valid superblock.
type superblock struct {
	fsid         uuid
	treeUUID     uuid // what tree blocks carry: fsid, or another after btrfstune -m
	flags        uint64
	incompat     uint64
	compatRO     uint64
	generation   uint64
	root         ref
	chunkRoot    ref
	logRoot      ref // logical is 0 when there is no log
	bytesUsed    int64
	devices      uint64
	deviceID     uint64
	deviceUUID   uuid
	deviceBytes  int64
	sectorSize   int64
	nodeSize     int64
	checksum     checksum
	label        string
	systemChunks []byte // keys and struct btrfs_chunk, enough to read the chunk tree
}

// findSuperblock returns the superblock that counts: the first, as for the
// kernel. When that one is damaged, the newest valid copy describes the volume,
// and the refusal says how to repair it.
func findSuperblock(r block.Reader) (*superblock, []volume.Refusal, error) {
	sb, damaged := readSuperblock(r, superOffsets[0])
	if damaged == nil {
		return sb, nil, nil
	}
	for _, off := range superOffsets[1:] {
		backup, err := readSuperblock(r, off)
		if err == nil && (sb == nil || backup.generation > sb.generation) {
			sb = backup
		}
	}
	if sb == nil {
		return nil, nil, damaged
	}
	return sb, []volume.Refusal{{
		Reason: volume.Damaged,
		What:   "the first superblock is damaged, a copy of it is not (" + damaged.Error() + ")",
		Do:     "Run btrfs rescue super-recover on it.",
	}}, nil
}

// readSuperblock reads and checks the superblock at off. The error is a
// *DamageError unless reading failed.
func readSuperblock(r block.Reader, off int64) (*superblock, error) {
	p := make([]byte, superSize)
	if err := block.ReadFull(r, p, off); err != nil {
		return nil, err
	}
	if string(p[superMagic:superMagic+len(magic)]) != magic {
		return nil, damage("superblock", off, "no magic")
	}
	sum, ok := checksumOf(binary.LittleEndian.Uint16(p[superChecksumType:]))
	if !ok {
		return nil, damage("superblock", off, "unknown checksum type")
	}
	if !sum.matches(p) {
		return nil, damage("superblock", off, "wrong checksum")
	}
	if at := binary.LittleEndian.Uint64(p[superAddress:]); at != uint64(off) {
		return nil, damage("superblock", off, fmt.Sprintf("says that it lies at %#x", at))
	}
	sb := decodeSuperblock(p)
	sb.checksum = sum
	if err := sb.check(); err != nil {
		return nil, damage("superblock", off, err.Error())
	}
	return sb, nil
}

// check holds the fields that size something against the kernel's limits
// (btrfs_validate_super).
func (sb *superblock) check() error {
	powerBetween := func(n, low, high int64) bool {
		return n >= low && n <= high && bits.OnesCount64(uint64(n)) == 1
	}
	switch {
	case !powerBetween(sb.sectorSize, 4<<10, 64<<10):
		return fmt.Errorf("sector size %d", sb.sectorSize)
	case !powerBetween(sb.nodeSize, sb.sectorSize, 64<<10):
		return fmt.Errorf("node size %d", sb.nodeSize)
	case max(sb.root.level, sb.chunkRoot.level, sb.logRoot.level) > maxLevel:
		return errors.New("a tree of more than 8 levels")
	case sb.devices == 0:
		return errors.New("no devices")
	case sb.deviceBytes <= 0:
		return fmt.Errorf("device size %d", uint64(sb.deviceBytes))
	case sb.bytesUsed < 0:
		return fmt.Errorf("%d bytes used", uint64(sb.bytesUsed))
	}
	return nil
}
