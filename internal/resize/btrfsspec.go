package resize

import (
	"context"
	"encoding/binary"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// struct btrfs_super_block (btrfs_tree.h).
const (
	btrfsSuper    = 64 << 10
	btrfsReadOnly = 0xB4 // u64 compat_ro_flags
	btrfsIncompat = 0xBC // u64
	btrfsChecksum = 0xC4 // u16
	btrfsDevice   = 0xC9 // u64 devid of dev_item
	btrfsChunk    = 0x32B + 17 + 24
)

func btrfsIncompatNames() map[uint64]string {
	return map[uint64]string{0x4: "mixed-bg", 0x40: "extref", 0x100: "skinny-metadata", 0x200: "no-holes"}
}

func btrfsChecksums() []string { return []string{"crc32c", "xxhash", "sha256", "blake2"} }

// specBtrfs: the first chunk of the array in the superblock is of type System,
// whose copies are as many as those of metadata.
func specBtrfs(r block.Reader, s *Spec) error {
	sb, err := superblock(r, btrfsSuper, 4096)
	if err != nil {
		return err
	}
	le := binary.LittleEndian
	s.BlockSize, s.NodeSize = int64(le.Uint32(sb[0x90:])), int64(le.Uint32(sb[0x94:]))
	s.Features = named(le.Uint64(sb[btrfsIncompat:]), btrfsIncompatNames())
	if le.Uint64(sb[btrfsReadOnly:])&1 != 0 {
		s.Features = append(s.Features, "free-space-tree")
	}
	if kind := int(le.Uint16(sb[btrfsChecksum:])); kind < len(btrfsChecksums()) {
		s.Features = append(s.Features, btrfsChecksums()[kind])
	}
	if le.Uint64(sb[btrfsChunk:])&(1<<5) != 0 {
		s.Features = append(s.Features, "dup")
	}
	return nil
}

// makeBtrfs: what mkfs.btrfs calls features, runtime features, a checksum and a
// profile are words in Features.
func makeBtrfs(ctx context.Context, v Volume, s Spec) error {
	args := []string{"-q", "-f", "-K"}
	args = option(args, "-U", s.UUID)
	args = option(args, "-L", s.Label)
	args = number(args, "-s", s.BlockSize)
	args = number(args, "-n", s.NodeSize)
	if s.Features != nil {
		args = append(args, btrfsWords(s.Features)...)
	}
	_, err := v.run(ctx, tool.MkfsBtrfs, append(args, v.Path)...)
	return err
}

func btrfsWords(features []string) []string {
	word := func(name string) string {
		if slices.Contains(features, name) {
			return name
		}
		return "^" + name
	}
	profile := "single"
	if slices.Contains(features, "dup") {
		profile = "dup"
	}
	var incompat []string
	for _, name := range btrfsIncompatNames() {
		incompat = append(incompat, word(name))
	}
	slices.Sort(incompat)
	args := []string{"-O", strings.Join(incompat, ","), "-R", word("free-space-tree"), "-m", profile}
	if slices.Contains(features, "mixed-bg") {
		args = append(args, "-d", profile)
	}
	for _, c := range btrfsChecksums() {
		if slices.Contains(features, c) {
			args = append(args, "--csum", c)
		}
	}
	return args
}
