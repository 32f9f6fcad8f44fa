// Package tool runs the well-kept programs that do what ingot leaves to them:
// making, checking, growing and shrinking file systems, WIM files, boot loaders.
//
// It owns how they are found, run and stopped, and what is said when one is
// missing or fails. It is the only package that runs programs. It does not know
// what their output means.
package tool

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Name is a program.
type Name string

// The programs that ingot uses, by the Debian package that has them.
const (
	E2fsck    Name = "e2fsck"
	Resize2fs Name = "resize2fs"
	MkfsExt4  Name = "mke2fs"
	Tune2fs   Name = "tune2fs"
	Dumpe2fs  Name = "dumpe2fs"
	Debugfs   Name = "debugfs"

	XFSRepair Name = "xfs_repair"
	XFSGrow   Name = "xfs_growfs"
	XFSAdmin  Name = "xfs_admin"
	XFSInfo   Name = "xfs_info"
	XFSDB     Name = "xfs_db"
	MkfsXFS   Name = "mkfs.xfs"

	Btrfs     Name = "btrfs"
	MkfsBtrfs Name = "mkfs.btrfs"
	BtrfsTune Name = "btrfstune"

	NTFSResize Name = "ntfsresize"
	NTFSFix    Name = "ntfsfix"
	NTFSInfo   Name = "ntfsinfo"
	NTFSLabel  Name = "ntfslabel"
	NTFS3G     Name = "ntfs-3g"
	MkNTFS     Name = "mkntfs"

	MkfsFAT Name = "mkfs.fat"
	FsckFAT Name = "fsck.fat"
	Mcopy   Name = "mcopy"
	Mdir    Name = "mdir"
	Mdel    Name = "mdel"
	Mmd     Name = "mmd"
	Mrd     Name = "mrd"
	Mattrib Name = "mattrib"

	MkfsExFAT Name = "mkfs.exfat"
	FsckExFAT Name = "fsck.exfat"
	TuneExFAT Name = "tune.exfat"
	ExFATFuse Name = "mount.exfat-fuse"

	Mkswap Name = "mkswap"
	Wimlib Name = "wimlib-imagex"
	Chroot Name = "chroot"
	Shell  Name = "sh"
	// Self is this program itself, whatever happened to its file since it began.
	Self    Name = "/proc/self/exe"
	Unshare Name = "unshare"
	// Of the boot environment.
	Smartctl Name = "smartctl"
	Mount    Name = "mount"
	Umount   Name = "umount"

	AptGet   Name = "apt-get"
	AptCache Name = "apt-cache"
	Xorriso  Name = "xorriso"
)

var packages = []struct {
	debian string
	names  []Name
}{
	{"e2fsprogs", []Name{E2fsck, Resize2fs, MkfsExt4, Tune2fs, Dumpe2fs, Debugfs}},
	{"xfsprogs", []Name{XFSRepair, XFSGrow, XFSAdmin, XFSInfo, XFSDB, MkfsXFS}},
	{"btrfs-progs", []Name{Btrfs, MkfsBtrfs, BtrfsTune}},
	{"ntfs-3g", []Name{NTFSResize, NTFSFix, NTFSInfo, NTFSLabel, NTFS3G, MkNTFS}},
	{"dosfstools", []Name{MkfsFAT, FsckFAT}},
	{"mtools", []Name{Mcopy, Mdir, Mdel, Mmd, Mrd, Mattrib}},
	{"exfatprogs", []Name{MkfsExFAT, FsckExFAT, TuneExFAT}},
	{"exfat-fuse", []Name{ExFATFuse}},
	{"util-linux", []Name{Mkswap, Unshare}},
	{"wimtools", []Name{Wimlib}},
	{"coreutils", []Name{Chroot}},
	{"dash", []Name{Shell}},
	{"smartmontools", []Name{Smartctl}},
	{"mount", []Name{Mount, Umount}},
	{"apt", []Name{AptGet, AptCache}},
	{"xorriso", []Name{Xorriso}},
}

// Package is the Debian package that has n; "" when n is none of ours.
func (n Name) Package() string {
	for _, p := range packages {
		if slices.Contains(p.names, n) {
			return p.debian
		}
	}
	return ""
}

// Names are all programs of Debian packages that are run.
func Names() (all []Name) {
	for _, p := range packages {
		all = append(all, p.names...)
	}
	return all
}

// MissingError says which programs are not installed, and where to get them.
type MissingError struct{ Names []Name }

func (e *MissingError) Error() string {
	var names, from []string
	for _, n := range e.Names {
		names = append(names, string(n))
		if p := n.Package(); p != "" && !slices.Contains(from, p) {
			from = append(from, p)
		}
	}
	is := "is"
	if len(names) > 1 {
		is = "are"
	}
	return fmt.Sprintf("%s %s not installed; on Debian and Ubuntu: apt-get install %s", strings.Join(names, ", "), is, strings.Join(from, " "))
}

// Need returns a *MissingError when one of the programs is not there. Plans call
// it, so that nothing is begun that cannot be finished.
func Need(names ...Name) error {
	var missing []Name
	for _, n := range names {
		if _, err := find(n); err != nil && !slices.Contains(missing, n) {
			missing = append(missing, n)
		}
	}
	if len(missing) > 0 {
		return &MissingError{missing}
	}
	return nil
}

// folders are looked through after PATH, which often lacks sbin.
var folders = []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"}

func find(n Name) (string, error) {
	if n == Self {
		return string(n), nil
	}
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), folders...) {
		path := filepath.Join(dir, string(n))
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 && filepath.IsAbs(path) {
			return path, nil
		}
	}
	return "", &MissingError{[]Name{n}}
}
