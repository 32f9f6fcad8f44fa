package files

import (
	"context"
	"maps"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/tool"
)

// The root directory of every subvolume has this inode number,
// BTRFS_FIRST_FREE_OBJECTID of linux/btrfs_tree.h.
const subvolumeInode = 256

// Of linux/btrfs.h: BTRFS_IOC_SUBVOL_GETFLAGS and _SETFLAGS, _IOR and _IOW(0x94,
// 25 and 26, __u64).
const (
	subvolumeGetFlags = 0x80089419
	subvolumeReadOnly = 1 << 1
)

// subvolume tells whether an open directory is one.
func subvolume(fd int, st *unix.Statx_t, f *found) {
	if st.Ino != subvolumeInode {
		return
	}
	flags, err := unix.IoctlGetInt(fd, subvolumeGetFlags)
	f.More = &More{Subvolume: true, ReadOnly: err == nil && flags&subvolumeReadOnly != 0}
}

// defaultSubvolume asks which subvolume a mount shows that is not told which: its
// path, "" for the top level.
func defaultSubvolume(ctx context.Context, fd int) (string, error) {
	r, err := tool.Command{Name: tool.Btrfs, Args: []string{"subvolume", "get-default", forProgram(fd)}}.Run(ctx)
	if err != nil {
		return "", err
	}
	_, path, _ := strings.Cut(strings.TrimSpace(r.Output), " path ") // "ID 256 gen 9 top level 5 path @home"
	return path, nil
}

// SpecDefaultSubvolume is the word in Listing.Spec for the path of the subvolume
// that a mount shows when it is not told which; absent, that is the top level.
const SpecDefaultSubvolume = "default-subvolume"

// addDefaultSubvolume keeps in the listing which subvolume is the default.
func (w *walker) addDefaultSubvolume(ctx context.Context) error {
	name, err := defaultSubvolume(ctx, int(w.tree.root.Fd()))
	if err != nil {
		return err
	}
	l := w.out.Listing
	if n, ok := l.Find(name); !ok || n == 0 || !l.Entries[n].more().Subvolume {
		return nil // the top level, or outside of what is walked
	}
	l.Spec = maps.Clone(l.Spec)
	if l.Spec == nil {
		l.Spec = map[string]string{}
	}
	l.Spec[SpecDefaultSubvolume] = name
	return nil
}
