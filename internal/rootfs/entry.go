package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// entry is what a directory says of one of its names. os.File.ReadDir would not
// do: where the file system does not tell types, it looks by the directory's name,
// which on this machine means another one.
type entry struct {
	name string
	stat unix.Stat_t
}

var (
	_ fs.DirEntry = entry{}
	_ fs.FileInfo = entry{}
)

// Name implements fs.DirEntry and fs.FileInfo.
func (e entry) Name() string { return e.name }

// IsDir implements fs.DirEntry and fs.FileInfo.
func (e entry) IsDir() bool { return e.Mode().IsDir() }

// Type implements fs.DirEntry.
func (e entry) Type() fs.FileMode { return e.Mode().Type() }

// Info implements fs.DirEntry.
func (e entry) Info() (fs.FileInfo, error) { return e, nil }

// Size implements fs.FileInfo.
func (e entry) Size() int64 { return e.stat.Size }

// ModTime implements fs.FileInfo.
func (e entry) ModTime() time.Time { return time.Unix(e.stat.Mtim.Unix()) }

// Sys implements fs.FileInfo; it is a *syscall.Stat_t, as that of package os.
func (e entry) Sys() any {
	s := e.stat
	return &syscall.Stat_t{
		Dev: s.Dev, Ino: s.Ino, Nlink: s.Nlink, Mode: s.Mode, Uid: s.Uid, Gid: s.Gid, Rdev: s.Rdev,
		Size: s.Size, Blksize: s.Blksize, Blocks: s.Blocks,
		Atim: syscall.Timespec(s.Atim), Mtim: syscall.Timespec(s.Mtim), Ctim: syscall.Timespec(s.Ctim),
	}
}

// Mode implements fs.FileInfo.
func (e entry) Mode() fs.FileMode {
	mode := fs.FileMode(e.stat.Mode & 0o777)
	for bit, flag := range map[uint32]fs.FileMode{unix.S_ISUID: fs.ModeSetuid, unix.S_ISGID: fs.ModeSetgid, unix.S_ISVTX: fs.ModeSticky} {
		if e.stat.Mode&bit != 0 {
			mode |= flag
		}
	}
	switch e.stat.Mode & unix.S_IFMT {
	case unix.S_IFDIR:
		return mode | fs.ModeDir
	case unix.S_IFLNK:
		return mode | fs.ModeSymlink
	case unix.S_IFBLK:
		return mode | fs.ModeDevice
	case unix.S_IFCHR:
		return mode | fs.ModeDevice | fs.ModeCharDevice
	case unix.S_IFIFO:
		return mode | fs.ModeNamedPipe
	case unix.S_IFSOCK:
		return mode | fs.ModeSocket
	}
	return mode
}

// entriesOf lists an open directory, sorted by name. What vanishes meanwhile is
// not listed.
func entriesOf(dir *os.File) ([]fs.DirEntry, error) {
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	entries := make([]fs.DirEntry, 0, len(names))
	for _, name := range names {
		e := entry{name: name}
		err := unix.Fstatat(int(dir.Fd()), name, &e.stat, unix.AT_SYMLINK_NOFOLLOW)
		if errors.Is(err, unix.ENOENT) {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "stat", Path: dir.Name() + "/" + name, Err: err}
		}
		entries = append(entries, e)
	}
	return entries, nil
}
