package ext

import "slices"

// blockRange is count blocks from block first on.
type blockRange struct{ first, count uint64 }

// groupStart is the first block of a group.
func (g *geometry) groupStart(group uint64) uint64 { return g.firstDataBlock + group*g.blocksPerGroup }

// clustersIn is how many bits of a group's bitmap stand for something; only the
// last group has fewer than clustersPerGroup.
func (g *geometry) clustersIn(group uint64) uint64 {
	return min(g.clustersPerGroup, ceilDiv(g.blocks-g.groupStart(group), g.blocksPerCluster))
}

// descriptorBlock is where descriptor block nr of the primary table lies
// (descriptor_loc in fs/ext4/super.c).
func (g *geometry) descriptorBlock(nr uint64) uint64 {
	if nr < g.plainDescriptors {
		return g.superblockBlock + 1 + nr
	}
	return g.afterSuperblock(nr * g.descriptorsPerBlock)
}

// afterSuperblock is the first block of a group, or the one behind the
// superblock if the group begins with one.
func (g *geometry) afterSuperblock(group uint64) uint64 {
	switch {
	case group == 0:
		return g.superblockBlock + 1
	case g.sb.hasBackup(group):
		return g.groupStart(group) + 1
	}
	return g.groupStart(group)
}

// fixedMetadata is what a group holds whatever its descriptor says: superblock,
// descriptor table, room for the table's growth (ext4_num_base_meta_clusters).
// The boot block counts where groups begin with it.
func (g *geometry) fixedMetadata(group uint64) blockRange {
	start, end := g.groupStart(group), g.afterSuperblock(group)
	metaGroup := group / g.descriptorsPerBlock
	switch {
	case metaGroup < g.plainDescriptors && g.sb.hasBackup(group):
		end += g.plainDescriptors + g.reservedDescriptors
	case metaGroup >= g.plainDescriptors && slices.Contains([]uint64{0, 1, g.descriptorsPerBlock - 1}, group%g.descriptorsPerBlock):
		end++
	}
	return blockRange{start, min(end, g.blocks) - start}
}

// hasBackup reports whether a group begins with a superblock, the primary one
// included (ext4_bg_has_super).
func (sb *superblock) hasBackup(group uint64) bool {
	switch {
	case group == 0:
		return true
	case sb.compat.has(compatSparseSuper2):
		return slices.Contains(sb.backupGroups[:], uint32(group))
	case group == 1 || !sb.roCompat.has(roCompatSparseSuper):
		return true
	}
	return isPower(group, 3) || isPower(group, 5) || isPower(group, 7)
}

func isPower(n, base uint64) bool {
	for n > 1 && n%base == 0 {
		n /= base
	}
	return n == 1
}
