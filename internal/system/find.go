package system

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/mount"
)

// Files is what is seen of a tree that may be a system's; a *rootfs.Root is one.
type Files interface {
	// Stat describes what a name leads to.
	Stat(name string) (fs.FileInfo, error)
	// Fold returns a name as the tree spells it, for names that ignore case.
	Fold(name string) (string, error)
}

// HoldsSystems reports whether an operating system may be installed on a kind.
func HoldsSystems(kind string) bool {
	return mount.Mountable(kind) && !strings.HasPrefix(kind, "fat") && kind != "exfat"
}

// KindOf tells what system a tree is the root of.
func KindOf(f Files) Kind {
	for _, name := range []string{"etc/os-release", "usr/lib/os-release", "etc/fstab"} {
		if info, err := f.Stat(name); err == nil && info.Mode().IsRegular() {
			if _, err := f.Stat("usr"); err == nil {
				return Linux
			}
		}
	}
	if _, err := f.Fold("Windows/System32/config/SYSTEM"); err == nil {
		return Windows
	}
	return None
}

// snapshots is where SUSE keeps the systems of a volume, one of them in use.
const snapshots = "@/.snapshots"

// Subvolumes are where the root of a system may be on a volume: where the
// installers of Debian, Ubuntu, Fedora, Arch and SUSE put it. readDir lists a
// folder of the volume.
func Subvolumes(kind string, readDir func(name string) ([]fs.DirEntry, error)) []string {
	if kind != "btrfs" {
		return []string{""}
	}
	all := []string{"", "@rootfs", "@", "root"}
	entries, _ := readDir(snapshots)
	for _, e := range slices.Backward(entries) {
		all = slices.Insert(all, 1, path.Join(snapshots, e.Name(), "snapshot"))
	}
	return all
}
