package resize

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
)

// The features that mke2fs can give a volume, by their bits (ext4.h,
// EXT4_FEATURE_*). Bits that are a state, as 'needs recovery', are not here.
func extCompat() map[uint64]string {
	return map[uint64]string{
		0x4: "has_journal", 0x8: "ext_attr", 0x10: "resize_inode", 0x20: "dir_index", 0x200: "sparse_super2",
		0x400: "fast_commit", 0x800: "stable_inodes", 0x1000: "orphan_file",
	}
}

func extIncompat() map[uint64]string {
	return map[uint64]string{
		0x2: "filetype", 0x10: "meta_bg", 0x40: "extent", 0x80: "64bit", 0x100: "mmp", 0x200: "flex_bg", 0x400: "ea_inode",
		0x2000: "metadata_csum_seed", 0x4000: "large_dir", 0x8000: "inline_data", 0x10000: "encrypt", 0x20000: "casefold",
	}
}

func extReadOnly() map[uint64]string {
	return map[uint64]string{
		0x1: "sparse_super", 0x2: "large_file", 0x8: "huge_file", 0x10: "uninit_bg", 0x20: "dir_nlink", 0x40: "extra_isize",
		0x100: "quota", 0x200: "bigalloc", 0x400: "metadata_csum", 0x2000: "project", 0x8000: "verity",
	}
}

// specExt reads struct ext4_super_block (ext4.h), which lies at 1024.
func specExt(r block.Reader, s *Spec) error {
	sb, err := superblock(r, 1024, 1024)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	compat, incompat, readOnly := uint64(le.Uint32(sb[0x5C:])), uint64(le.Uint32(sb[0x60:])), uint64(le.Uint32(sb[0x64:]))
	s.Features = slices.Concat(named(compat, extCompat()), named(incompat, extIncompat()), named(readOnly, extReadOnly()))
	blocks, reserved := uint64(le.Uint32(sb[0x04:])), uint64(le.Uint32(sb[0x08:]))
	if incompat&0x80 != 0 {
		blocks |= uint64(le.Uint32(sb[0x150:])) << 32
		reserved |= uint64(le.Uint32(sb[0x154:])) << 32
	}
	inodes := int64(le.Uint32(sb[0x00:]))
	if inodes == 0 || blocks == 0 || reserved > blocks/2 || s.BlockSize <= 0 {
		return errors.New("its superblock contradicts itself")
	}
	s.InodeSize = 128
	if le.Uint32(sb[0x4C:]) > 0 { // revision 0 has inodes of one size
		s.InodeSize = int64(le.Uint16(sb[0x58:]))
	}
	if readOnly&0x200 != 0 {
		s.ClusterSize = 1024 << min(20, le.Uint32(sb[0x1C:]))
	}
	s.InodeRatio = s.Size / inodes
	// To the nearest thousandth: mke2fs keeps what a percentage with one digit gives.
	if s.Reserved = int64((reserved*1000 + blocks/2) / blocks); s.Reserved == 0 {
		s.Reserved = -1
	}
	return nil
}
