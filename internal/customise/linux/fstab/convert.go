package fstab

import (
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise"
)

// own are the mount options that belong to a file system and that others refuse,
// without their values: Documentation/filesystems/{ext4,ext2}, admin-guide/xfs,
// and btrfs(5). What is in none of these lists is for mount(8) itself, or for
// systemd, and stays.
var own = map[string][]string{
	"ext": {"acl", "noacl", "user_xattr", "nouser_xattr", "errors", "data", "data_err", "commit", "barrier", "nobarrier", "journal_checksum",
		"nojournal_checksum", "journal_async_commit", "journal_dev", "journal_path", "journal_ioprio", "noload", "norecovery", "delalloc", "nodelalloc", "stripe", "inode_readahead_blks",
		"bsddf", "minixdf", "debug", "abort", "grpid", "nogrpid", "bsdgroups", "sysvgroups", "resuid", "resgid", "sb", "quota", "noquota", "usrquota",
		"grpquota", "prjquota", "usrjquota", "grpjquota", "jqfmt", "oldalloc", "orlov", "max_batch_time", "min_batch_time", "auto_da_alloc",
		"noauto_da_alloc", "noinit_itable", "init_itable", "discard", "nodiscard", "nouid32", "block_validity", "noblock_validity", "dioread_lock", "dioread_nolock",
		"max_dir_size_kb", "i_version", "dax", "nombcache", "reservation", "noreservation", "check", "nocheck", "test_dummy_encryption", "inlinecrypt"},
	"xfs": {"allocsize", "attr2", "noattr2", "dax", "discard", "nodiscard", "grpid", "nogrpid", "bsdgroups", "sysvgroups", "filestreams", "ikeep",
		"noikeep", "inode32", "inode64", "largeio", "nolargeio", "logbufs", "logbsize", "logdev", "rtdev", "noalign", "norecovery", "nouuid", "noquota", "quota",
		"uquota", "usrquota", "uqnoenforce", "qnoenforce", "gquota", "grpquota", "gqnoenforce", "pquota", "prjquota", "pqnoenforce", "sunit", "swidth",
		"swalloc", "wsync", "barrier", "nobarrier"},
	"btrfs": {"acl", "noacl", "autodefrag", "noautodefrag", "barrier", "nobarrier", "check_int", "clear_cache", "commit", "compress", "compress-force",
		"datacow", "nodatacow", "datasum", "nodatasum", "degraded", "device", "discard", "nodiscard", "enospc_debug", "noenospc_debug", "fatal_errors",
		"flushoncommit", "noflushoncommit", "fragment", "inode_cache", "logreplay", "nologreplay", "max_inline", "metadata_ratio", "nospace_cache", "norecovery",
		"notreelog", "treelog", "nossd", "nossd_spread", "ssd", "ssd_spread", "recovery", "rescan_uuid_tree", "rescue", "skip_balance", "space_cache",
		"subvol", "subvolid", "thread_pool", "usebackuproot", "user_subvol_rm_allowed"},
}

// family is the name of a kind in own.
func family(kind string) string {
	if strings.HasPrefix(kind, "ext") && kind != "exfat" {
		return "ext"
	}
	return kind
}

// typeOf is a kind as mount(8) calls it.
func typeOf(kind string) string {
	if strings.HasPrefix(kind, "fat") {
		return "vfat"
	}
	return kind
}

// convert makes a line fit the kind of file system that its volume has now.
func (l *line) convert(v *customise.Volume, point string) {
	if l.get(vfsType) != "auto" {
		l.set(vfsType, typeOf(v.Kind))
	}
	if old := l.get(options); old != "" {
		l.set(options, keepOptions(old, family(v.Kind)))
	}
	switch before := l.get(passno); {
	case v.Kind == "xfs" || v.Kind == "btrfs": // their fsck does nothing at boot
		l.set(passno, "0")
	case before == "0" && family(v.Kind) == "ext":
		pass := "2"
		if point == "/" {
			pass = "1"
		}
		l.set(passno, pass)
	}
}

// keepOptions leaves out what only other file systems understand, and values that
// this one reads differently.
func keepOptions(list, kind string) string {
	var kept []string
	for _, option := range strings.Split(list, ",") {
		name, value, _ := strings.Cut(option, "=")
		known := slices.Contains(own[kind], name) && (name != "discard" || value == "" || kind == "btrfs")
		foreign := false
		for _, names := range own {
			foreign = foreign || slices.Contains(names, name)
		}
		if known || !foreign {
			kept = append(kept, option)
		}
	}
	if len(kept) == 0 {
		return "defaults"
	}
	return strings.Join(kept, ",")
}
