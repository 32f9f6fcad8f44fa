package btrfs

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// struct btrfs_super_block: byte offsets.
const (
	magic     = "_BHRfS_M"
	superSize = 4096

	superFSID          = 0x20
	superAddress       = 0x30
	superFlags         = 0x38
	superMagic         = 0x40
	superGeneration    = 0x48
	superRoot          = 0x50
	superChunkRoot     = 0x58
	superLogRoot       = 0x60
	superBytesUsed     = 0x78
	superDevices       = 0x88
	superSectorSize    = 0x90
	superNodeSize      = 0x94
	superSysChunkSize  = 0xa0
	superChunkRootGen  = 0xa4
	superCompatRO      = 0xb4
	superIncompat      = 0xbc
	superChecksumType  = 0xc4
	superRootLevel     = 0xc6
	superChunkLevel    = 0xc7
	superLogLevel      = 0xc8
	superDevice        = 0xc9 // struct btrfs_dev_item
	deviceID           = superDevice
	deviceBytes        = superDevice + 8
	deviceUUID         = superDevice + 66
	deviceFSID         = superDevice + 82
	superLabel         = 0x12b
	superLabelEnd      = 0x22b
	superMetadataUUID  = 0x23b
	superSysChunks     = 0x32b
	superSysChunksSize = 2048
)

func decodeSuperblock(p []byte) *superblock {
	u64 := func(at int) uint64 { return binary.LittleEndian.Uint64(p[at:]) }
	u32 := func(at int) int64 { return int64(binary.LittleEndian.Uint32(p[at:])) }
	root := func(owner uint64, at, level int, generation uint64) ref {
		return ref{logical: int64(u64(at)), level: int(p[level]), generation: generation, owner: owner, root: true}
	}
	label, _, _ := bytes.Cut(p[superLabel:superLabelEnd], []byte{0})
	generation := u64(superGeneration)
	sb := &superblock{
		fsid:         uuid(p[superFSID:]),
		treeUUID:     uuid(p[superFSID:]),
		flags:        u64(superFlags),
		incompat:     u64(superIncompat),
		compatRO:     u64(superCompatRO),
		generation:   generation,
		root:         root(rootTree, superRoot, superRootLevel, generation),
		chunkRoot:    root(chunkTree, superChunkRoot, superChunkLevel, u64(superChunkRootGen)),
		logRoot:      root(logTree, superLogRoot, superLogLevel, generation+1),
		bytesUsed:    int64(u64(superBytesUsed)),
		devices:      u64(superDevices),
		deviceID:     u64(deviceID),
		deviceBytes:  int64(u64(deviceBytes)),
		deviceUUID:   uuid(p[deviceUUID:]),
		sectorSize:   u32(superSectorSize),
		nodeSize:     u32(superNodeSize),
		label:        strings.ToValidUTF8(string(label), "\uFFFD"),
		systemChunks: p[superSysChunks:][:min(u32(superSysChunkSize), superSysChunksSize)],
	}
	if sb.incompat&incompatMetadataUUID != 0 {
		sb.treeUUID = uuid(p[superMetadataUUID:])
	}
	return sb
}
