package browse

import (
	"io/fs"
	"os"
	"syscall"

	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// mounted is a volume that is mounted on this machine.
type mounted struct {
	root *rootfs.Root
	kind string
}

func (m mounted) close() error { return m.root.Close() }

func (m mounted) lstat(name string) (Entry, error) {
	info, err := m.root.Lstat(name)
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Mode: info.Mode(), Mtime: info.ModTime()}
	if name != "" {
		e.Name = info.Name()
	}
	if info.Mode().IsRegular() {
		e.Size = info.Size()
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		e.UID, e.GID = st.Uid, st.Gid
		if e.Mode&fs.ModeDevice != 0 {
			e.Major, e.Minor = deviceNumbers(st.Rdev)
		}
	}
	if e.Mode&fs.ModeSymlink != 0 {
		e.Target, err = m.root.Readlink(name)
	}
	return e, err
}

// deviceNumbers splits a dev_t as Linux does, include/uapi/linux/kdev_t.h.
func deviceNumbers(dev uint64) (major, minor uint32) {
	return uint32(dev>>8&0xfff | dev>>32&^0xfff), uint32(dev&0xff | dev>>12&^0xff)
}

func (m mounted) readDir(name string) ([]Entry, error) {
	listed, err := m.root.ReadDir(name)
	if err != nil {
		return nil, err
	}
	entries := make([]Entry, len(listed))
	for i, d := range listed {
		if entries[i], err = m.lstat(join(name, d.Name())); err != nil {
			return nil, err
		}
	}
	return entries, nil
}

func (m mounted) open(name string) (File, error) {
	f, err := m.root.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	return mountedFile{f, info.Size()}, nil
}

type mountedFile struct {
	*os.File
	size int64
}

// Size implements File.
func (f mountedFile) Size() int64 { return f.size }
