package resize

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/rootfs"
	"github.com/ingot-imaging/ingot/internal/tool"
)

// shrinkExt shrinks, and gives folders back the times of their last change: when
// resize2fs gives inodes new numbers, it sets those of all folders that name them.
// The time of the last change of the inodes themselves stays what it made it.
func shrinkExt(ctx context.Context, v Volume, size int64) (notes []string, err error) {
	before, lost := v.folders(ctx)
	// Forced, it tries what its own estimate forbids, and fails in order when there
	// is no room.
	if err := v.resizeExt(ctx, size, "-f"); err != nil {
		return nil, err
	}
	if lost == nil {
		lost = v.setTimes(ctx, before)
	}
	if lost != nil && ctx.Err() == nil {
		notes = append(notes, fmt.Sprintf("folders of the %s volume may bear the time of now as that of their last change: %v", v.Kind, lost))
	}
	return notes, ctx.Err()
}

// folder is a folder in a volume.
type folder struct {
	name     string
	inode    uint64
	modified int64 // seconds since 1970; resize2fs leaves the rest of the time alone
}

// folders lists the folders of a volume, which is mounted for it.
func (v Volume) folders(ctx context.Context) (list []folder, err error) {
	err = v.mounted(ctx, true, func(dir string) error {
		root, err := rootfs.Open(dir)
		if err != nil {
			return err
		}
		defer root.Close()
		list, err = walkFolders(ctx, root)
		return err
	})
	return list, err
}

func walkFolders(ctx context.Context, root *rootfs.Root) ([]folder, error) {
	list, err := appendFolder(nil, root, "/")
	for i := 0; i < len(list) && err == nil; i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := root.ReadDir(list[i].name)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			if list, err = appendFolder(list, root, path.Join(list[i].name, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return list, err
}

func appendFolder(list []folder, root *rootfs.Root, name string) ([]folder, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, fmt.Errorf("%s has no inode", name)
	}
	return append(list, folder{name, st.Ino, st.Mtim.Sec}), nil
}

// setTimes gives folders the times they have in want, without a mount that would
// write more than that.
func (v Volume) setTimes(ctx context.Context, want []folder) error {
	have, err := v.folders(ctx)
	if err != nil {
		return err
	}
	if len(have) != len(want) {
		return errors.New("not all folders were found again")
	}
	var script strings.Builder
	for i, f := range have {
		if f.name != want[i].name {
			return fmt.Errorf("%s is not where it was", want[i].name)
		}
		if f.modified != want[i].modified {
			fmt.Fprintf(&script, "set_inode_field <%d> mtime @%d\n", f.inode, want[i].modified)
		}
	}
	if script.Len() == 0 {
		return nil
	}
	_, err = tool.Command{Name: tool.Debugfs, Args: []string{"-w", "-f", "-", v.Path}, Stdin: strings.NewReader(script.String()), Lines: v.Lines}.Run(ctx)
	return err
}
