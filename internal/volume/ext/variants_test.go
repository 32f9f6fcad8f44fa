package ext

import (
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// variant is one way to make a volume.
type variant struct {
	name string
	kind string
	size int64
	mkfs string // mke2fs's arguments without the device
	keep bool   // as a fixture
}

func (v variant) make(t testing.TB, more ...string) string {
	t.Helper()
	command := append([]string{"mke2fs", "-q", "-F"}, strings.Fields(v.mkfs)...)
	return volumetest.Mkfs(t, v.size, append(append(command, more...), "{}")...)
}

// named finds a variant for a test that needs a special one.
func named(t testing.TB, name string) variant {
	t.Helper()
	i := slices.IndexFunc(variants, func(v variant) bool { return v.name == name })
	if i < 0 {
		t.Fatalf("no variant %q", name)
	}
	return variants[i]
}

const (
	mib = 1 << 20
	gib = 1 << 30
)

// variants has every layout that mke2fs makes, alone and in the combinations
// that share code. All are a few groups long; TestHuge has the others.
var variants = []variant{
	{"ext2-1k", "ext2", 40 * mib, "-t ext2 -b 1024", true},
	{"ext2-2k", "ext2", 80 * mib, "-t ext2 -b 2048", false},
	{"ext2-4k", "ext2", 300 * mib, "-t ext2 -b 4096", false},
	{"ext2-revision-0", "ext2", 40 * mib, "-t ext2 -b 1024 -r 0", false},
	{"ext2-all-backups", "ext2", 90 * mib, "-t ext2 -b 1024 -O ^sparse_super,^resize_inode", false},
	{"ext2-odd-tail", "ext2", 40*mib + 5*1024 + 512, "-t ext2 -b 1024", false},
	{"ext3-1k", "ext3", 90 * mib, "-t ext3 -b 1024", false},
	{"ext3-4k", "ext3", 300 * mib, "-t ext3 -b 4096", true},
	{"ext4-default", "ext4", 600 * mib, "-t ext4", true},
	{"ext4-1k", "ext4", 90 * mib, "-t ext4 -b 1024", false},
	{"ext4-2k", "ext4", 200 * mib, "-t ext4 -b 2048", false},
	{"ext4-64k", "ext4", 8*gib + 100*mib, "-t ext4 -b 65536", true},
	{"ext4-no-flex", "ext4", gib, "-t ext4 -O ^flex_bg", false},
	{"ext4-no-csum", "ext4", gib, "-t ext4 -O ^metadata_csum", true},
	{"ext4-uninit", "ext4", 3 * gib, "-t ext4 -O ^metadata_csum,uninit_bg", false},
	{"ext4-uninit-64bit", "ext4", 3 * gib, "-t ext4 -O ^metadata_csum,uninit_bg,64bit", true},
	{"ext4-uninit-no-flex-1k", "ext4", 200 * mib, "-t ext4 -b 1024 -O ^metadata_csum,uninit_bg,^flex_bg", true},
	{"ext4-32bit", "ext4", gib, "-t ext4 -O ^64bit", false},
	{"ext4-meta-bg", "ext4", 9 * gib, "-t ext4 -O meta_bg,^resize_inode", false},
	{"ext4-meta-bg-1k", "ext4", 300 * mib, "-t ext4 -b 1024 -O meta_bg,^resize_inode,^metadata_csum", true},
	{"ext4-meta-bg-no-flex", "ext4", 300 * mib, "-t ext4 -b 1024 -O meta_bg,^resize_inode,^flex_bg", false},
	{"ext4-sparse-super2", "ext4", 3 * gib, "-t ext4 -O sparse_super2", true},
	{"ext4-one-backup", "ext4", 3 * gib, "-t ext4 -O sparse_super2 -E num_backup_sb=1", false},
	{"ext4-packed", "ext4", 5 * gib, "-t ext4 -O sparse_super2 -E num_backup_sb=0,packed_meta_blocks=1", false},
	{"ext4-bigalloc", "ext4", 6 * gib, "-t ext4 -O bigalloc", false},
	{"ext4-bigalloc-1k", "ext4", 300*mib + 5*1024, "-t ext4 -b 1024 -O bigalloc -C 8192", true},
	{"ext4-bigalloc-64k", "ext4", 70 * gib, "-t ext4 -O bigalloc -C 65536 -N 4096", false},
	{"ext4-bigalloc-meta-bg", "ext4", 6 * gib, "-t ext4 -b 1024 -O bigalloc,meta_bg,^resize_inode,^metadata_csum -N 8192", true},
	{"ext4-no-journal", "ext4", 400 * mib, "-t ext4 -b 4096 -O ^has_journal", false},
	{"ext4-no-resize-inode", "ext4", 400 * mib, "-t ext4 -b 4096 -O ^resize_inode", false},
	{"ext4-quota-project", "ext4", 400 * mib, "-t ext4 -b 4096 -O quota,project", false},
	{"ext4-files", "ext4", 400 * mib, "-t ext4 -b 4096 -O inline_data,encrypt,verity,casefold,large_dir,ea_inode", false},
	{"ext4-inline", "ext4", 100 * mib, "-t ext4 -O inline_data,large_dir,ea_inode", false},
	{"ext4-journals", "ext4", 400 * mib, "-t ext4 -b 4096 -O fast_commit,orphan_file,stable_inodes", false},
	{"ext4-mmp", "ext4", 400 * mib, "-t ext4 -b 4096 -O mmp -L image-0123456789", true},
	{"ext4-csum-seed", "ext4", 400 * mib, "-t ext4 -b 4096 -O metadata_csum_seed -U 11111111-2222-3333-4444-555555555555", false},
	{"ext4-small-groups", "ext4", 100 * mib, "-t ext4 -b 4096 -g 2048", false},
	{"ext4-flex-64", "ext4", 17 * gib, "-t ext4 -G 64", false},
	{"ext4-raid", "ext4", 2 * gib, "-t ext4 -E stride=16,stripe_width=64", false},
	{"ext4-room-to-grow", "ext4", 600 * mib, "-t ext4 -E resize=1000000000", false},
	{"ext4-many-inodes", "ext4", 600 * mib, "-t ext4 -I 1024 -i 4096", false},
	{"ext4-tiny", "ext4", mib, "-t ext4 -O ^has_journal", true},
	{"ext4-last-group-small", "ext4", 8*128*mib + 3*mib, "-t ext4 -O ^flex_bg", false},
}
