package files

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// entryReader reads what there is to know about a file but for its bytes.
type entryReader struct {
	kind  string
	place func(fd int) (int64, bool)
	attrs *attrReader
}

func newEntryReader(kind string, place func(fd int) (int64, bool)) entryReader {
	if place == nil {
		place = func(int) (int64, bool) { return 0, false }
	}
	return entryReader{kind, place, newAttrReader()}
}

// errColon is for names that only programs other than Windows make on NTFS.
var errColon = errors.New("ntfs-3g cannot tell its name, which has a colon, from a named stream; such a volume can be captured by blocks")

// unplaced is behind every place on a disk.
const unplaced = 1<<63 - 1

// entry reads one entry of an open directory. What makes a directory a directory
// is read when its turn comes.
func (r *entryReader) entry(dir int, d dirent) (found, error) {
	f := found{Entry: Entry{Name: d.name}, place: unplaced}
	if r.kind == "ntfs" && strings.Contains(d.name, ":") {
		return f, errColon
	}
	if d.kind == unix.DT_REG {
		return f, r.openFile(dir, d.name, &f)
	}
	st, err := statAt(dir, d.name, 0)
	if err == nil {
		err = f.fromStat(&st)
	}
	switch {
	case err != nil || f.Type == Dir:
		return f, err
	case f.Type == File:
		return f, r.openFile(dir, d.name, &f)
	case f.Type == Symlink && r.kind == "ntfs":
		return f, r.reparse(dir, d.name, &f)
	case f.Type == Symlink:
		target, err := readLink(dir, d.name)
		if err != nil {
			return f, err
		}
		f.More = &More{Target: target}
	case r.kind == "ntfs":
		return f, r.ntfs(dir, d.name, &f)
	}
	f.set, err = r.attrs.read(attrsOfName(inProc(dir, d.name)), nil)
	return f, err
}

// openFile reads what there is to know about a regular file.
func (r *entryReader) openFile(dir int, name string, f *found) error {
	fd, err := openToRead(func(flags int) (int, error) { return openBelow(dir, name, flags, 0) }, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	st, err := statFD(fd)
	if err != nil {
		return err
	}
	if err := f.fromStat(&st); err != nil {
		return err
	}
	if f.Type != File {
		return fmt.Errorf("it was a file and is a %v now", f.Type)
	}
	if r.kind == "ntfs" {
		if err := r.ntfs(dir, name, f); err != nil {
			return err
		}
		return r.data(fd, &st, f)
	}
	if err := r.data(fd, &st, f); err != nil {
		return err
	}
	f.Flags = readFlags(fd)
	f.set, err = r.attrs.read(attrsOfFD(fd), nil)
	return err
}

// data finds where a file's bytes lie, and where it has none.
func (r *entryReader) data(fd int, st *unix.Statx_t, f *found) error {
	if f.Size == 0 {
		return nil
	}
	if at, ok := r.place(fd); ok {
		f.place = at
	}
	find := dataExtents
	if attribsOf(f.set)&attribSparse != 0 {
		find = findZeros
	}
	if isSwap(fd, f.Size) {
		f.Sparse, f.Stored = true, extent.Of(extent.Extent{Length: swapHead})
		more := f.more()
		more.Reserved = true
		f.More = &more
		return nil
	}
	if int64(st.Blocks)*sectorSize >= f.Size {
		return nil
	}
	stored, err := find(fd, f.Size)
	if err != nil {
		return err
	}
	if stored.Bytes() < f.Size {
		f.Sparse, f.Stored = true, stored
	}
	return nil
}

// dataExtents finds what of a file is not a hole, by lseek(2), on the grid.
func dataExtents(fd int, size int64) (extent.List, error) {
	var b extent.Builder
	for at := int64(0); at < size; {
		start, err := unix.Seek(fd, at, unix.SEEK_DATA)
		if errors.Is(err, unix.ENXIO) {
			break
		}
		if errors.Is(err, unix.EINVAL) {
			b.Add(at, size-at)
			break
		}
		if err != nil {
			return nil, err
		}
		end, err := unix.Seek(fd, start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		b.Add(start, min(end, size)-start)
		at = end
	}
	return b.List().Align(chunk.Grid, size), nil
}

// directory reads what there is to know about an open directory, which has a
// path below root.
func (r *entryReader) directory(fd int, st *unix.Statx_t, root int, path string, f *found) (err error) {
	if err := f.fromStat(st); err != nil {
		return err
	}
	if r.kind == "ntfs" {
		return r.ntfs(root, path, f)
	}
	f.Flags = readFlags(fd)
	if r.kind == "btrfs" {
		subvolume(fd, st, f)
	}
	f.set, err = r.attrs.read(attrsOfFD(fd), nil)
	return err
}

func readLink(dir int, name string) (string, error) {
	buf := make([]byte, maxTarget)
	n, err := unix.Readlinkat(dir, name, buf)
	if err != nil {
		return "", err
	}
	return string(buf[:n]), nil
}
