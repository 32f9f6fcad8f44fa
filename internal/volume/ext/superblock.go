package ext

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ingot-imaging/ingot/internal/volume"
)

const (
	superblockOffset = 1024 // of the primary superblock, whatever the block size
	superblockSize   = 1024
	magic            = 0xEF53

	maxLogBlockSize   = 6  // 64 KiB, EXT4_MAX_BLOCK_LOG_SIZE - 10
	maxLogClusterSize = 20 // 1 GiB, EXT4_MAX_CLUSTER_LOG_SIZE - 10
)

// Byte offsets in struct ext4_super_block (fs/ext4/ext4.h); all numbers are
// little-endian.
const (
	offInodes         = 0x00
	offBlocks         = 0x04
	offFreeBlocks     = 0x0C
	offFirstDataBlock = 0x14
	offLogBlockSize   = 0x18
	offLogClusterSize = 0x1C
	offBlocksPerGroup = 0x20
	offClustersPer    = 0x24
	offInodesPerGroup = 0x28
	offMagic          = 0x38
	offState          = 0x3A
	offRevision       = 0x4C
	offInodeSize      = 0x58
	offCompat         = 0x5C
	offIncompat       = 0x60
	offROCompat       = 0x64
	offUUID           = 0x68
	offLabel          = 0x78
	offReservedGDT    = 0xCE
	offJournalUUID    = 0xD0
	offJournalInode   = 0xE0
	offLastOrphan     = 0xE8
	offDescriptorSize = 0xFE
	offFirstMetaGroup = 0x104
	offBlocksHigh     = 0x150
	offFreeHigh       = 0x158
	offMMPBlock       = 0x168
	offChecksumType   = 0x175
	offErrorCount     = 0x194
	offBackupGroups   = 0x24C
	offChecksumSeed   = 0x270
	offChecksum       = 0x3FC
)

// superblock is what this package needs of struct ext4_super_block. Block
// counts and numbers are in blocks, also where the format allocates clusters.
type superblock struct {
	compat, incompat, roCompat features

	revision           uint32
	inodes             uint32
	blocks, freeBlocks uint64
	firstDataBlock     uint32
	logBlockSize       uint32 // block size is 1024 << logBlockSize, at most 64 KiB
	logClusterSize     uint32 // likewise, at most 1 GiB; meaningful with bigalloc only
	blocksPerGroup     uint32
	clustersPerGroup   uint32
	inodesPerGroup     uint32
	inodeSize          uint16 // bytes
	descriptorSize     uint16 // bytes; meaningful with 64bit only
	reservedGDTBlocks  uint16
	firstMetaGroup     uint32 // in descriptor blocks
	backupGroups       [2]uint32
	mmpBlock           uint64
	state              uint16
	errorCount         uint32
	lastOrphan         uint32
	journalInode       uint32
	uuid, journalUUID  [16]byte
	label              string
	checksumType       uint8
	checksumSeed       uint32
}

// decodeSuperblock takes superblockSize bytes. Whether the layout they describe
// is possible is for newGeometry to say.
func decodeSuperblock(raw []byte) (*superblock, error) {
	le := binary.LittleEndian
	if le.Uint16(raw[offMagic:]) != magic {
		return nil, damagedSuperblock("magic number %#x, want %#x", le.Uint16(raw[offMagic:]), magic)
	}
	sb := &superblock{
		compat:            features(le.Uint32(raw[offCompat:])),
		incompat:          features(le.Uint32(raw[offIncompat:])),
		roCompat:          features(le.Uint32(raw[offROCompat:])),
		revision:          le.Uint32(raw[offRevision:]),
		inodes:            le.Uint32(raw[offInodes:]),
		blocks:            uint64(le.Uint32(raw[offBlocks:])),
		freeBlocks:        uint64(le.Uint32(raw[offFreeBlocks:])),
		firstDataBlock:    le.Uint32(raw[offFirstDataBlock:]),
		logBlockSize:      le.Uint32(raw[offLogBlockSize:]),
		logClusterSize:    le.Uint32(raw[offLogClusterSize:]),
		blocksPerGroup:    le.Uint32(raw[offBlocksPerGroup:]),
		clustersPerGroup:  le.Uint32(raw[offClustersPer:]),
		inodesPerGroup:    le.Uint32(raw[offInodesPerGroup:]),
		inodeSize:         le.Uint16(raw[offInodeSize:]),
		descriptorSize:    le.Uint16(raw[offDescriptorSize:]),
		reservedGDTBlocks: le.Uint16(raw[offReservedGDT:]),
		firstMetaGroup:    le.Uint32(raw[offFirstMetaGroup:]),
		backupGroups:      [2]uint32{le.Uint32(raw[offBackupGroups:]), le.Uint32(raw[offBackupGroups+4:])},
		mmpBlock:          le.Uint64(raw[offMMPBlock:]),
		state:             le.Uint16(raw[offState:]),
		errorCount:        le.Uint32(raw[offErrorCount:]),
		lastOrphan:        le.Uint32(raw[offLastOrphan:]),
		journalInode:      le.Uint32(raw[offJournalInode:]),
		uuid:              [16]byte(raw[offUUID:]),
		journalUUID:       [16]byte(raw[offJournalUUID:]),
		label:             text(raw[offLabel : offLabel+16]),
		checksumType:      raw[offChecksumType],
		checksumSeed:      le.Uint32(raw[offChecksumSeed:]),
	}
	if sb.incompat.has(incompat64Bit) {
		sb.blocks |= uint64(le.Uint32(raw[offBlocksHigh:])) << 32
		sb.freeBlocks |= uint64(le.Uint32(raw[offFreeHigh:])) << 32
	}
	return sb, sb.check(raw)
}

// check judges the checksum of the raw bytes, and the numbers without which no
// size can be told.
func (sb *superblock) check(raw []byte) error {
	if sb.logBlockSize > maxLogBlockSize {
		return damagedSuperblock("block size 2^%d bytes, at most 2^16 are possible", 10+uint64(sb.logBlockSize))
	}
	if sb.blocks == 0 || sb.blocks > math.MaxInt64/uint64(sb.blockSize()) {
		return damagedSuperblock("%d blocks of %d bytes", sb.blocks, sb.blockSize())
	}
	if sb.roCompat.has(roCompatMetadataChecksum) && sb.checksumType == checksumCRC32C {
		if got, want := crc32c(^uint32(0), raw[:offChecksum]), binary.LittleEndian.Uint32(raw[offChecksum:]); got != want {
			return damagedSuperblock("checksum %#08x, its bytes give %#08x", want, got)
		}
	}
	return nil
}

func (sb *superblock) blockSize() int64 { return 1024 << sb.logBlockSize }

func damagedSuperblock(format string, args ...any) error {
	return &volume.DamageError{Kind: "ext", What: "superblock", Offset: superblockOffset, Why: fmt.Sprintf(format, args...)}
}
