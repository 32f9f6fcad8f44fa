package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ingot-imaging/ingot/internal/report"
)

// addScratchFlag adds --scratch to a command that makes a volume on its way.
func addScratchFlag(cmd *cobra.Command, folder *string) {
	cmd.Flags().StringVar(folder, "scratch", "", "`FOLDER` for a volume that is made on the way (default: $TMPDIR or /var/tmp)")
}

// scratchFolder is the folder that --scratch names, or the default.
func scratchFolder(flag string) string {
	return cmp.Or(flag, os.Getenv("TMPDIR"), "/var/tmp")
}

// scratchVolume makes a sparse file for a volume in a folder with room for the
// bytes that will come into it. The file is gone when remove is called.
func scratchVolume(dir string, size, needed int64) (path string, remove func(), err error) {
	if err := needRoom(dir, needed); err != nil {
		return "", nil, err
	}
	f, err := os.CreateTemp(dir, "ingot-scratch-*.img")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.Remove(f.Name()) }
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		remove()
		return "", nil, err
	}
	path, err = filepath.Abs(f.Name())
	return path, remove, err
}

// needRoom refuses a folder that has not so much room.
func needRoom(dir string, needed int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return &os.PathError{Op: "look for room in", Path: dir, Err: err}
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < needed {
		return fmt.Errorf("%s has %s free, and up to %s are needed on the way; name another folder with --scratch: %w",
			dir, report.Bytes(free), report.Bytes(needed), syscall.ENOSPC)
	}
	return nil
}
