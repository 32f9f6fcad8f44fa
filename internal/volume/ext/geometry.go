package ext

import "math/bits"

// Sizes of a group descriptor (struct ext4_group_desc) in bytes.
const (
	smallDescriptor = 32
	largeDescriptor = 64
	maxDescriptor   = 1024
)

// geometry is where things lie, computed from a superblock that was found
// possible. Everything is in blocks unless its name says otherwise, and block
// numbers count from the start of the volume.
type geometry struct {
	bytesPerBlock    int64
	blocks           uint64
	firstDataBlock   uint64 // 1 when blocks, and clusters, are of 1 KiB; else 0
	superblockBlock  uint64 // the block that holds the primary superblock
	blocksPerCluster uint64 // 1 without bigalloc
	blocksPerGroup   uint64
	clustersPerGroup uint64 // bits that count in a block bitmap
	groups           uint64

	descriptorSize      int64 // bytes
	descriptorsPerBlock uint64
	plainDescriptors    uint64 // descriptor blocks that follow a superblock; the others are in meta groups
	reservedDescriptors uint64 // blocks kept free behind those for growth
	inodeTableBlocks    uint64 // per group

	sb *superblock
}

// newGeometry refuses, as a *volume.DamageError, what ext4_fill_super refuses.
func newGeometry(sb *superblock) (geometry, error) {
	g := geometry{
		bytesPerBlock:    sb.blockSize(),
		blocks:           sb.blocks,
		firstDataBlock:   uint64(sb.firstDataBlock),
		superblockBlock:  uint64(superblockOffset / sb.blockSize()),
		blocksPerCluster: 1,
		blocksPerGroup:   uint64(sb.blocksPerGroup),
		clustersPerGroup: uint64(sb.blocksPerGroup),
		descriptorSize:   smallDescriptor,
		sb:               sb,
	}
	if err := g.layGroups(sb); err != nil {
		return geometry{}, err
	}
	return g, g.layDescriptors(sb)
}

// layGroups checks clusters, groups and inode tables.
func (g *geometry) layGroups(sb *superblock) error {
	if sb.roCompat.has(roCompatBigalloc) {
		if sb.logClusterSize < sb.logBlockSize || sb.logClusterSize > maxLogClusterSize {
			return damagedSuperblock("cluster size 2^%d bytes with blocks of %d bytes", 10+uint64(sb.logClusterSize), g.bytesPerBlock)
		}
		g.blocksPerCluster = 1 << (sb.logClusterSize - sb.logBlockSize)
		g.clustersPerGroup = uint64(sb.clustersPerGroup)
	}
	first := uint64(0)
	if uint64(g.bytesPerBlock)*g.blocksPerCluster == 1024 {
		first = 1
	}
	bitsPerBlock := uint64(g.bytesPerBlock) * 8
	inodeSize := uint64(sb.inodeSize)
	if sb.revision == 0 {
		inodeSize = 128
	}
	inodesPerGroup := uint64(sb.inodesPerGroup)
	switch {
	case g.firstDataBlock != first || g.blocks <= max(first, g.superblockBlock):
		return damagedSuperblock("first data block %d of %d", g.firstDataBlock, g.blocks)
	case g.clustersPerGroup == 0 || g.clustersPerGroup%8 != 0 || g.clustersPerGroup > bitsPerBlock ||
		g.blocksPerGroup != g.clustersPerGroup*g.blocksPerCluster:
		return damagedSuperblock("%d blocks and %d clusters of %d blocks in a group", g.blocksPerGroup, g.clustersPerGroup, g.blocksPerCluster)
	case inodeSize < 128 || inodeSize > uint64(g.bytesPerBlock) || bits.OnesCount64(inodeSize) != 1:
		return damagedSuperblock("inode size %d", inodeSize)
	case inodesPerGroup == 0 || inodesPerGroup > bitsPerBlock:
		return damagedSuperblock("%d inodes in a group", inodesPerGroup)
	}
	g.groups = ceilDiv(g.blocks-g.firstDataBlock, g.blocksPerGroup)
	if hi, inodes := bits.Mul64(g.groups, inodesPerGroup); hi != 0 || inodes != uint64(sb.inodes) {
		return damagedSuperblock("%d inodes, but %d groups of %d", sb.inodes, g.groups, inodesPerGroup)
	}
	g.inodeTableBlocks = ceilDiv(inodesPerGroup*inodeSize, uint64(g.bytesPerBlock))
	return nil
}

// layDescriptors checks and places the group descriptors.
func (g *geometry) layDescriptors(sb *superblock) error {
	if sb.incompat.has(incompat64Bit) {
		g.descriptorSize = int64(sb.descriptorSize)
	}
	if size := uint64(g.descriptorSize); size < smallDescriptor || size > maxDescriptor || bits.OnesCount64(size) != 1 ||
		sb.incompat.has(incompat64Bit) && size < largeDescriptor {
		return damagedSuperblock("group descriptor size %d", g.descriptorSize)
	}
	g.descriptorsPerBlock = uint64(g.bytesPerBlock / g.descriptorSize)
	g.plainDescriptors = ceilDiv(g.groups, g.descriptorsPerBlock)
	g.reservedDescriptors = uint64(sb.reservedGDTBlocks)
	if sb.incompat.has(incompatMetaGroups) {
		if uint64(sb.firstMetaGroup) > g.plainDescriptors {
			return damagedSuperblock("first meta group %d of %d", sb.firstMetaGroup, g.plainDescriptors)
		}
		g.plainDescriptors, g.reservedDescriptors = uint64(sb.firstMetaGroup), 0
	}
	if g.reservedDescriptors > uint64(g.bytesPerBlock)/4 {
		return damagedSuperblock("%d reserved descriptor blocks", g.reservedDescriptors)
	}
	return nil
}

func ceilDiv(a, b uint64) uint64 {
	q := a / b
	if a%b != 0 {
		q++
	}
	return q
}
