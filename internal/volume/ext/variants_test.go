package ext

// variant is one way to make a volume.
type variant struct {
	name string
	kind string
	size int64
	mkfs []string // mke2fs's arguments without device
}

const (
	mib = 1 << 20
	gib = 1 << 30
	tib = 1 << 40
)

// variants has every layout that mke2fs makes, alone and in the combinations
// that share code. All but the biggest are a few groups long.
var variants = []variant{
	{"ext2-1k", "ext2", 40 * mib, []string{"-t", "ext2", "-b", "1024"}},
	{"ext2-2k", "ext2", 80 * mib, []string{"-t", "ext2", "-b", "2048"}},
	{"ext2-4k", "ext2", 300 * mib, []string{"-t", "ext2", "-b", "4096"}},
	{"ext2-revision-0", "ext2", 40 * mib, []string{"-t", "ext2", "-b", "1024", "-r", "0"}},
	{"ext2-all-backups", "ext2", 90 * mib, []string{"-t", "ext2", "-b", "1024", "-O", "^sparse_super,^resize_inode"}},
	{"ext2-odd-tail", "ext2", 40*mib + 5*1024 + 512, []string{"-t", "ext2", "-b", "1024"}},
	{"ext3-1k", "ext3", 90 * mib, []string{"-t", "ext3", "-b", "1024"}},
	{"ext3-4k", "ext3", 300 * mib, []string{"-t", "ext3", "-b", "4096"}},
	{"ext4-default", "ext4", 400 * mib, []string{"-t", "ext4"}},
	{"ext4-1k", "ext4", 90 * mib, []string{"-t", "ext4", "-b", "1024"}},
	{"ext4-2k", "ext4", 200 * mib, []string{"-t", "ext4", "-b", "2048"}},
	{"ext4-64k", "ext4", 8*gib + 100*mib, []string{"-t", "ext4", "-b", "65536"}},
	{"ext4-no-flex", "ext4", gib, []string{"-t", "ext4", "-O", "^flex_bg"}},
	{"ext4-no-csum", "ext4", gib, []string{"-t", "ext4", "-O", "^metadata_csum"}},
	{"ext4-uninit", "ext4", 3 * gib, []string{"-t", "ext4", "-O", "^metadata_csum,uninit_bg"}},
	{"ext4-uninit-64bit", "ext4", 3 * gib, []string{"-t", "ext4", "-O", "^metadata_csum,uninit_bg,64bit"}},
	{"ext4-uninit-no-flex-1k", "ext4", 200 * mib, []string{"-t", "ext4", "-b", "1024", "-O", "^metadata_csum,uninit_bg,^flex_bg"}},
	{"ext4-32bit", "ext4", gib, []string{"-t", "ext4", "-O", "^64bit"}},
	{"ext4-meta-bg", "ext4", 9 * gib, []string{"-t", "ext4", "-O", "meta_bg,^resize_inode"}},
	{"ext4-meta-bg-1k", "ext4", 300 * mib, []string{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"}},
	{"ext4-meta-bg-no-flex", "ext4", 300 * mib, []string{"-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode,^flex_bg"}},
	{"ext4-sparse-super2", "ext4", 3 * gib, []string{"-t", "ext4", "-O", "sparse_super2"}},
	{"ext4-one-backup", "ext4", 3 * gib, []string{"-t", "ext4", "-O", "sparse_super2", "-E", "num_backup_sb=1"}},
	{"ext4-packed", "ext4", 5 * gib, []string{"-t", "ext4", "-O", "sparse_super2", "-E", "num_backup_sb=0,packed_meta_blocks=1"}},
	{"ext4-bigalloc", "ext4", 6 * gib, []string{"-t", "ext4", "-O", "bigalloc"}},
	{"ext4-bigalloc-1k", "ext4", 300*mib + 5*1024, []string{"-t", "ext4", "-b", "1024", "-O", "bigalloc", "-C", "8192"}},
	{"ext4-bigalloc-64k", "ext4", 70 * gib, []string{"-t", "ext4", "-O", "bigalloc", "-C", "65536", "-N", "4096"}},
	{"ext4-bigalloc-meta-bg", "ext4", 6 * gib, []string{"-t", "ext4", "-b", "1024", "-O", "bigalloc,meta_bg,^resize_inode", "-N", "8192"}},
	{"ext4-no-journal", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "^has_journal"}},
	{"ext4-no-resize-inode", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "^resize_inode"}},
	{"ext4-quota-project", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "quota,project"}},
	{"ext4-files", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "inline_data,encrypt,verity,casefold,large_dir,ea_inode"}},
	{"ext4-journals", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "fast_commit,orphan_file,stable_inodes"}},
	{"ext4-mmp", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "mmp"}},
	{"ext4-csum-seed", "ext4", 400 * mib, []string{"-t", "ext4", "-O", "metadata_csum_seed", "-U", "11111111-2222-3333-4444-555555555555"}},
	{"ext4-small-groups", "ext4", 100 * mib, []string{"-t", "ext4", "-b", "4096", "-g", "2048"}},
	{"ext4-flex-256", "ext4", 40 * gib, []string{"-t", "ext4", "-G", "256"}},
	{"ext4-last-group-small", "ext4", 8*128*mib + 3*mib, []string{"-t", "ext4", "-O", "^flex_bg"}},
	{"ext4-2tib", "ext4", 2 * tib, []string{"-t", "ext4"}},
}
