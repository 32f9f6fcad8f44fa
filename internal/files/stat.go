package files

import (
	"errors"

	"golang.org/x/sys/unix"
)

const (
	statWanted = unix.STATX_BASIC_STATS | unix.STATX_MNT_ID
	pathOnly   = unix.O_PATH
)

func statFD(fd int) (unix.Statx_t, error) { return statAt(fd, "", unix.AT_EMPTY_PATH) }

// statAt describes a file of a directory; a link is not followed.
func statAt(dir int, name string, flags int) (unix.Statx_t, error) {
	var st unix.Statx_t
	err := again(func() error {
		return unix.Statx(dir, name, flags|unix.AT_SYMLINK_NOFOLLOW|unix.AT_NO_AUTOMOUNT, statWanted, &st)
	})
	return st, err
}

// mountOf tells file systems apart: by the number of the mount, since each
// subvolume of btrfs has a device number of its own; by the device where the
// kernel (before 5.8) does not say.
func mountOf(st *unix.Statx_t) uint64 {
	if st.Mask&unix.STATX_MNT_ID != 0 {
		return st.Mnt_id
	}
	return unix.Mkdev(st.Dev_major, st.Dev_minor)
}

func inodeOf(st *unix.Statx_t) inode {
	return inode{unix.Mkdev(st.Dev_major, st.Dev_minor), st.Ino}
}

func timeOf(t unix.StatxTimestamp) Time { return Time{t.Sec, t.Nsec} }

// sectorSize is the unit of a file's count of blocks, stat(2).
const sectorSize = 512

// fromStat fills in what stat says of a file.
func (f *found) fromStat(st *unix.Statx_t) error {
	f.Mode, f.UID, f.GID = st.Mode&0o7777, st.Uid, st.Gid
	f.Mtime, f.Atime, f.stamp = timeOf(st.Mtime), timeOf(st.Atime), timeOf(st.Ctime)
	f.inode = inodeOf(st)
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		f.Type = Dir
	case unix.S_IFREG:
		f.Type = File
		f.Size = int64(st.Size)
	case unix.S_IFLNK:
		f.Type = Symlink
	case unix.S_IFCHR, unix.S_IFBLK:
		f.Type = CharDevice
		if st.Mode&unix.S_IFMT == unix.S_IFBLK {
			f.Type = BlockDevice
		}
		f.More = &More{Major: st.Rdev_major, Minor: st.Rdev_minor}
	case unix.S_IFIFO:
		f.Type = FIFO
	case unix.S_IFSOCK:
		f.Type = Socket
	default:
		return errors.New("its type is none that this program knows")
	}
	f.linked = f.Type != Dir && st.Nlink > 1
	return nil
}

// Kinds of file systems by the numbers of statfs(2), linux/magic.h.
const (
	extMagic   = 0xEF53
	xfsMagic   = 0x58465342
	btrfsMagic = 0x9123683E
)

// kindOf tells what file system an open directory is on; "" when that is none of
// those whose files have more than every file has.
func kindOf(fd int) string {
	var st unix.Statfs_t
	if again(func() error { return unix.Fstatfs(fd, &st) }) != nil {
		return ""
	}
	switch uint32(st.Type) {
	case extMagic:
		return "ext4"
	case xfsMagic:
		return "xfs"
	case btrfsMagic:
		return "btrfs"
	}
	if _, err := unix.Fgetxattr(fd, ntfsAttrib, make([]byte, 4)); err == nil {
		return "ntfs"
	}
	return ""
}
