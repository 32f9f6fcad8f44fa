package local

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// RenameNew renames a file and never replaces one: fs.ErrExist when path is there.
//
// It is renameat2(2) with RENAME_NOREPLACE, which the kernel checks and does in
// one step: since Linux 3.15 on ext4, 3.17 on btrfs, tmpfs and CIFS, 4.0 on XFS,
// 4.9 on FAT and most other local file systems, 5.7 on exFAT. FUSE passes it on
// and its server may refuse it, NFS always does (and has hard links). Where
// neither is to be had, two writers could overwrite each other's objects, so the
// folder is refused.
func RenameNew(tmp, path string) error {
	err := unix.Renameat2(unix.AT_FDCWD, tmp, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return fmt.Errorf("the file system has neither hard links nor a rename that does not replace (%w); put the store on another one", err)
	}
	if err != nil {
		return &os.LinkError{Op: "renameat2", Old: tmp, New: path, Err: err}
	}
	return nil
}
