package resize

import (
	"context"
	"encoding/binary"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/tool"
)

func growBtrfs(ctx context.Context, v Volume, _ int64) ([]string, error) {
	return nil, v.mounted(ctx, false, func(dir string) error { return v.resizeBtrfs(ctx, dir, "max") })
}

// resizeBtrfs resizes the only device, whose number need not be 1.
func (v Volume) resizeBtrfs(ctx context.Context, dir, size string) error {
	d, err := openDisk(v.Path)
	if err != nil {
		return err
	}
	defer d.Close()
	sb, err := superblock(d, btrfsSuper, 4096)
	if err != nil {
		return err
	}
	device := binary.LittleEndian.Uint64(sb[btrfsDevice:])
	_, err = v.run(ctx, tool.Btrfs, "filesystem", "resize", fmt.Sprintf("%d:%s", device, size), dir)
	return err
}

// btrfsUse is a line of 'btrfs filesystem df': what is allocated for one type of
// data, and used.
var btrfsUse = regexp.MustCompile(`(?m)^(Data|System|Metadata|Data\+Metadata), (\w+): total=(\d+), used=(\d+)$`)

// btrfsMinimum is what is used, each copy counted, and the first MiB, which is
// never allocated. 'inspect-internal min-dev-size' counts what is allocated, which
// can be twice as much; shrinking packs that first.
func btrfsMinimum(ctx context.Context, v Volume) (need int64, err error) {
	err = v.mounted(ctx, true, func(dir string) error {
		r, err := v.run(ctx, tool.Btrfs, "filesystem", "df", "-b", dir)
		if err != nil {
			return err
		}
		need, err = btrfsUsed(r.Output)
		return err
	})
	return need, err
}

func btrfsUsed(df string) (int64, error) {
	need := int64(1 << 20)
	lines := btrfsUse.FindAllStringSubmatch(df, -1)
	if lines == nil {
		return 0, fmt.Errorf("btrfs filesystem df says nothing of what is used: %s", df)
	}
	for _, m := range lines {
		used, err := strconv.ParseInt(m[4], 10, 62)
		if err != nil {
			return 0, err
		}
		if m[2] == "DUP" {
			used *= 2
		}
		need += used
	}
	return need, nil
}

// btrfsMargin: space is allocated in chunks, of which there is one of each type at
// least, and some must be free to move others to.
func btrfsMargin(minimum int64) int64 { return minimum/10 + 256<<20 }

// shrinkBtrfs has the kernel move what lies behind the new end. Where it finds no
// room for that, chunks that are half empty are packed first.
func shrinkBtrfs(ctx context.Context, v Volume, size int64) ([]string, error) {
	return nil, v.mounted(ctx, false, func(dir string) error {
		var err error
		for _, usage := range []string{"", "50", "90"} {
			if usage != "" {
				_, _ = v.run(ctx, tool.Btrfs, "balance", "start", "-dusage="+usage, "-musage="+usage, dir) // without room it does what it can
			}
			if err = v.resizeBtrfs(ctx, dir, strconv.FormatInt(size, 10)); err == nil {
				return nil
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return err
	})
}

func checkBtrfs(ctx context.Context, v Volume) error {
	_, err := v.run(ctx, tool.Btrfs, "check", "--readonly", v.Path)
	return err
}

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
