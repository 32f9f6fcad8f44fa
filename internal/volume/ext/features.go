package ext

import (
	"fmt"
	"strings"
)

// features is one of the superblock's three feature words.
type features uint32

func (f features) has(flag features) bool { return f&flag != 0 }

// Flags this package acts on (EXT4_FEATURE_* in fs/ext4/ext4.h).
const (
	compatHasJournal   features = 0x4
	compatSparseSuper2 features = 0x200

	incompatFileType      features = 0x2
	incompatRecover       features = 0x4
	incompatJournalDevice features = 0x8
	incompatMetaGroups    features = 0x10
	incompat64Bit         features = 0x80
	incompatMMP           features = 0x100
	incompatChecksumSeed  features = 0x2000

	roCompatSparseSuper      features = 0x1
	roCompatLargeFile        features = 0x2
	roCompatBTreeDir         features = 0x4
	roCompatGroupChecksum    features = 0x10
	roCompatBigalloc         features = 0x200
	roCompatMetadataChecksum features = 0x400
	roCompatOrphanPresent    features = 0x10000
)

// What ext2 and ext3 may have; anything beyond makes it ext4, as for blkid.
const (
	oldIncompat = incompatFileType | incompatRecover | incompatMetaGroups
	oldROCompat = roCompatSparseSuper | roCompatLargeFile | roCompatBTreeDir
)

// Every flag whose effect on the used map is known. Those that this package
// does not act on change inodes, directories or what the kernel writes next,
// never where metadata lies or what a bitmap means:
//
//	incompat   extents, flex_bg, ea_inode, large_dir, inline_data, encrypt, casefold
//	ro_compat  huge_file, dir_nlink, extra_isize, quota, read-only, project, shared_blocks, verity
//
// Left out on purpose, so refused: compression, dirdata (no driver in Linux),
// has_snapshot and replica (bitmaps with another meaning). Compat flags are
// never refused: by definition an old driver may even write.
const (
	knownIncompat = oldIncompat | incompatJournalDevice | incompat64Bit | incompatMMP | incompatChecksumSeed |
		0x40 | 0x200 | 0x400 | 0x4000 | 0x8000 | 0x10000 | 0x20000
	knownROCompat = oldROCompat | roCompatGroupChecksum | roCompatBigalloc | roCompatMetadataChecksum | roCompatOrphanPresent |
		0x8 | 0x20 | 0x40 | 0x100 | 0x1000 | 0x2000 | 0x4000 | 0x8000
)

// kind tells the members of the family apart by their features alone.
func (sb *superblock) kind() string {
	switch {
	case sb.incompat.has(incompatJournalDevice):
		return "jbd"
	case sb.incompat&^oldIncompat != 0 || sb.roCompat&^oldROCompat != 0:
		return "ext4"
	case sb.compat.has(compatHasJournal):
		return "ext3"
	}
	return "ext2"
}

// hasGroupChecksums reports whether descriptors carry a checksum; only then
// their UNINIT flags count.
func (sb *superblock) hasGroupChecksums() bool {
	return sb.roCompat.has(roCompatGroupChecksum | roCompatMetadataChecksum)
}

// unknownFeatures names the flags outside the known set, "" when there are none.
func (sb *superblock) unknownFeatures() string {
	var names []string
	if f := sb.incompat &^ knownIncompat; f != 0 {
		names = append(names, fmt.Sprintf("incompat %#x", uint32(f)))
	}
	if f := sb.roCompat &^ knownROCompat; f != 0 {
		names = append(names, fmt.Sprintf("ro_compat %#x", uint32(f)))
	}
	return strings.Join(names, " and ")
}
