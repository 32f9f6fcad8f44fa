package xfs

import (
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/ingot-imaging/ingot/internal/block"
)

const (
	superblockMagic = "XFSB"

	minSectorSize = 512     // XFS_MIN_SECTORSIZE
	maxSectorSize = 1 << 15 // XFS_MAX_SECTORSIZE
	minBlockSize  = 512     // XFS_MIN_BLOCKSIZE
	maxBlockSize  = 1 << 16 // XFS_MAX_BLOCKSIZE
	minAGBlocks   = 64      // XFS_MIN_AG_BLOCKS
	maxLogBytes   = 1<<31 - 1
	maxSize       = 1<<63 - 1 // bytes, so that every offset fits an int64
	daddrSize     = 512       // bytes of a disk address and of a log block, on any device
)

// uuid is a DCE UUID as it lies on disk.
type uuid [16]byte

func (u uuid) String() string {
	h := hex.EncodeToString(u[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// superblock is struct xfs_dsb, the first sector of the volume.
type superblock struct {
	Magic        [4]byte
	BlockSize    uint32 // bytes
	Blocks       uint64
	RTBlocks     uint64
	RTExtents    uint64
	UUID         uuid
	LogStart     uint64 // AG number, and in the low AGBlockBits the block in it; 0 is an external log
	_            [28]byte
	AGBlocks     uint32 // blocks of each AG but the last
	AGCount      uint32
	_            [4]byte
	LogBlocks    uint32
	Version      uint16 // number in the low four bits, version 4's features above
	SectorSize   uint16 // bytes
	_            [4]byte
	Label        [12]byte
	_            [4]byte
	AGBlockBits  uint8
	_            [1]byte
	InProgress   uint8
	_            [17]byte
	FreeBlocks   uint64 // in the trees of free extents and what those keep in reserve
	_            [48]byte
	Features2    uint32
	BadFeatures2 uint32 // Features2 where a compiler once misplaced it
	_            uint32 // compatible features, which concern no reader
	ROCompat     uint32 // from here on version 5
	Incompat     uint32
	_            [28]byte
	MetaUUID     uuid
}

const (
	superblockBytes   = 264
	superblockBytesV4 = 208
	superblockVersion = 100 // offset of sb_versionnum
	superblockCRC     = 224 // offset of sb_crc

	versionNumber   = 0xf    // XFS_SB_VERSION_NUMBITS
	versionMoreBits = 0x8000 // XFS_SB_VERSION_MOREBITSBIT: sb_features2 is in use
)

func (sb *superblock) v5() bool         { return sb.Version&versionNumber == 5 }
func (sb *superblock) blockSize() int64 { return int64(sb.BlockSize) }

// features2 joins both places as the kernel does when it mounts.
func (sb *superblock) features2() uint32 {
	if sb.Version&versionMoreBits == 0 {
		return 0
	}
	return sb.Features2 | sb.BadFeatures2
}

// lazyCount tells that the free block counter is only written when the log is
// emptied; every version 5 file system is so.
func (sb *superblock) lazyCount() bool { return sb.v5() || sb.features2()&features2Lazy != 0 }

// agLength is the number of blocks of an AG; the last may be shorter.
func (sb *superblock) agLength(number uint32) uint32 {
	if number == sb.AGCount-1 {
		return uint32(sb.Blocks - uint64(number)*uint64(sb.AGBlocks))
	}
	return sb.AGBlocks
}

// agOffset is the byte at which an AG starts.
func (sb *superblock) agOffset(number uint32) int64 {
	return int64(number) * int64(sb.AGBlocks) * sb.blockSize()
}

// firstFree is the lowest block of an AG that can be free: the one behind the
// four sectors of the AG's headers.
func (sb *superblock) firstFree() uint32 {
	return (4*uint32(sb.SectorSize) + sb.BlockSize - 1) / sb.BlockSize
}

// metaUUID is what metadata of version 5 carries. It stays when a user changes
// the UUID of the file system.
func (sb *superblock) metaUUID() uuid {
	if sb.Incompat&incompatMetaUUID != 0 {
		return sb.MetaUUID
	}
	return sb.UUID
}

// readSuperblock returns a superblock whose geometry is sound: every size in it
// is in range and fits the others. Features and r's size are not looked at.
func readSuperblock(r block.Reader) (*superblock, error) {
	head := make([]byte, superblockBytes)
	if err := block.ReadFull(r, head, 0); err != nil {
		return nil, err
	}
	version := binary.BigEndian.Uint16(head[superblockVersion:]) & versionNumber
	if version != 4 && version != 5 {
		return nil, damage("superblock", 0, "version %d, known are 4 and 5", version)
	}
	if version == 4 {
		clear(head[superblockBytesV4:])
	}
	sb := new(superblock)
	if _, err := binary.Decode(head, binary.BigEndian, sb); err != nil {
		return nil, err
	}
	if err := sb.checkGeometry(); err != nil {
		return nil, err
	}
	if !sb.v5() {
		return sb, nil
	}
	sector := make([]byte, sb.SectorSize)
	if err := block.ReadFull(r, sector, 0); err != nil {
		return nil, err
	}
	return sb, checkCRC("superblock", sector, superblockCRC, 0)
}

func (sb *superblock) checkGeometry() error {
	bad := func(format string, args ...any) error { return damage("superblock", 0, format, args...) }
	switch {
	case string(sb.Magic[:]) != superblockMagic:
		return bad("magic number %q", sb.Magic)
	case !powerOfTwo(uint32(sb.SectorSize), minSectorSize, maxSectorSize):
		return bad("sector size %d", sb.SectorSize)
	case !powerOfTwo(sb.BlockSize, max(minBlockSize, uint32(sb.SectorSize)), maxBlockSize):
		return bad("block size %d with sectors of %d", sb.BlockSize, sb.SectorSize)
	case sb.Blocks > maxSize/uint64(sb.BlockSize):
		return bad("%d blocks of %d bytes", sb.Blocks, sb.BlockSize)
	case sb.AGBlocks < minAGBlocks || sb.AGCount == 0:
		return bad("%d allocation groups of %d blocks", sb.AGCount, sb.AGBlocks)
	case sb.Blocks > uint64(sb.AGCount)*uint64(sb.AGBlocks) || sb.Blocks < uint64(sb.AGCount-1)*uint64(sb.AGBlocks)+minAGBlocks:
		return bad("%d blocks in %d allocation groups of %d", sb.Blocks, sb.AGCount, sb.AGBlocks)
	case int(sb.AGBlockBits) != bits.Len32(sb.AGBlocks-1):
		return bad("sb_agblklog %d for allocation groups of %d blocks", sb.AGBlockBits, sb.AGBlocks)
	case sb.FreeBlocks > sb.Blocks:
		return bad("%d blocks free of %d", sb.FreeBlocks, sb.Blocks)
	}
	return sb.checkLog()
}

// checkLog holds an internal log to lie inside one AG.
func (sb *superblock) checkLog() error {
	if sb.LogStart == 0 {
		return nil
	}
	number, start := sb.logPlace()
	switch {
	case number >= uint64(sb.AGCount) || start+uint64(sb.LogBlocks) > uint64(sb.agLength(uint32(number))):
		return damage("superblock", 0, "log of %d blocks at block %d of AG %d lies outside", sb.LogBlocks, start, number)
	case sb.LogBlocks == 0 || int64(sb.LogBlocks)*sb.blockSize() > maxLogBytes:
		return damage("superblock", 0, "log of %d blocks", sb.LogBlocks)
	}
	return nil
}

// logPlace is the AG of an internal log and the log's first block in it.
func (sb *superblock) logPlace() (number, start uint64) {
	return sb.LogStart >> sb.AGBlockBits, sb.LogStart & (1<<sb.AGBlockBits - 1)
}

// logOffset is the byte at which an internal log starts.
func (sb *superblock) logOffset() int64 {
	number, start := sb.logPlace()
	return sb.agOffset(uint32(number)) + int64(start)*sb.blockSize()
}

func powerOfTwo(n, least, most uint32) bool {
	return n >= least && n <= most && n&(n-1) == 0
}
