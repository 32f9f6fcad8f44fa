package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// What ntfs-3g shows of a file beside its bytes, as attributes that it does not
// list: see ntfs-3g(8), 'Extended attributes'. Times are read and set apart.
const (
	ntfsACL     = "system.ntfs_acl"
	ntfsAttrib  = "system.ntfs_attrib_be"
	ntfsTimes   = "system.ntfs_times_be"
	ntfsReparse = "system.ntfs_reparse_data"
	ntfsDOSName = "system.ntfs_dos_name"
	ntfsObject  = "system.ntfs_object_id"
	ntfsEFS     = "system.ntfs_efsinfo"
	ntfsEA      = "system.ntfs_ea"
	ntfsStreams = "ntfs.streams.list"
)

var ntfsUnlisted = []string{ntfsACL, ntfsAttrib, ntfsReparse, ntfsDOSName, ntfsObject, ntfsEFS, ntfsEA}

// Bits of ntfsAttrib, [MS-FSCC] 2.6.
const (
	attribDirectory = 0x10
	attribSparse    = 0x200
)

// hasACL tells ntfs-3g from drivers that show less.
func hasACL(fd int) bool {
	_, err := unix.Fgetxattr(fd, ntfsACL, nil)
	return err == nil
}

// attribsOf returns FILE_ATTRIBUTE_* of a set of attributes.
func attribsOf(set []Attr) uint32 {
	for _, a := range set {
		if a.Name == ntfsAttrib && len(a.Value) == 4 {
			return binary.BigEndian.Uint32(a.Value)
		}
	}
	return 0
}

// ntfs reads what only NTFS has of a file, which is name in dir.
func (r *entryReader) ntfs(dir int, name string, f *found) (err error) {
	if f.set, err = r.ntfsAttrs(inProc(dir, name)); err != nil {
		return err
	}
	return r.ntfsRest(dir, name, f)
}

// ntfsAttrs reads the extended attributes of a file. Where ntfs-3g shows streams
// as files of their own it has no others to list, and its answer to who asks is
// whatever error happened last.
func (r *entryReader) ntfsAttrs(path string) ([]Attr, error) {
	from := attrsOfName(path)
	if _, err := unix.Lgetxattr(path, ntfsStreams, nil); err == nil {
		from.list = func([]byte) (int, error) { return 0, nil }
	}
	return r.attrs.read(from, ntfsUnlisted)
}

func (r *entryReader) ntfsRest(dir int, name string, f *found) error {
	path, times := inProc(dir, name), make([]byte, 32)
	more := f.more()
	n, err := unix.Lgetxattr(path, ntfsTimes, times)
	if err == nil && n == len(times) {
		f.Mtime, f.Atime = fromNTFS(times[8:]), fromNTFS(times[16:]) // stat(2) is a second off before 1970
		more.Times = &NTFSTimes{Birth: fromNTFS(times), Change: fromNTFS(times[24:])}
	}
	if f.Type == File || f.Type == Dir {
		if more.Streams, err = r.streams(dir, name); err != nil {
			return err
		}
	}
	if more.Times != nil || len(more.Streams) > 0 {
		f.More = &more
	}
	return nil
}

// ticks are the unit of NTFS times, 100 ns since 1601.
const (
	ticksPerSecond = 10_000_000
	epoch1601      = -11_644_473_600 // seconds from 1970
)

func fromNTFS(b []byte) Time {
	t := int64(binary.BigEndian.Uint64(b))
	sec := t / ticksPerSecond
	if t%ticksPerSecond < 0 {
		sec--
	}
	return Time{sec + epoch1601, uint32(t-sec*ticksPerSecond) * 100}
}

func (t Time) toNTFS(b []byte) []byte {
	return binary.BigEndian.AppendUint64(b, uint64((t.Sec-epoch1601)*ticksPerSecond+int64(t.Nsec/100)))
}

// streams lists the named streams of a file, and measures them.
func (r *entryReader) streams(dir int, name string) ([]Stream, error) {
	n, err := unix.Lgetxattr(inProc(dir, name), ntfsStreams, r.attrs.names)
	if errors.Is(err, unix.ENODATA) || errors.Is(err, unix.ENOTSUP) || n <= 0 && err == nil {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []Stream
	for stream := range strings.SplitSeq(strings.TrimRight(string(r.attrs.names[:n]), "\x00"), "\x00") {
		st, err := statAt(dir, name+":"+stream, 0)
		if err != nil {
			return nil, failure("look at", name+":"+stream, err)
		}
		all = append(all, Stream{stream, Data{Size: int64(st.Size)}})
	}
	slices.SortFunc(all, func(a, b Stream) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// reparse reads what ntfs-3g shows as a link: a junction, a symbolic link, or a
// file that a driver of Windows keeps elsewhere. Its data say what it is.
func (r *entryReader) reparse(dir int, name string, f *found) error {
	set, err := r.ntfsAttrs(inProc(dir, name))
	if err != nil {
		return err
	}
	i := slices.IndexFunc(set, func(a Attr) bool { return a.Name == ntfsReparse })
	if i < 0 { // made by ntfs-3g: a system file with the target in it
		target, err := readLink(dir, name)
		if err != nil {
			return err
		}
		f.set, f.More = set, &More{Target: target}
		return r.ntfsRest(dir, name, f)
	}
	if err := wholeInReparse(name, set[i].Value); err != nil {
		return err
	}
	f.Type, f.set, f.Size, f.leaf = File, set, 0, true
	if attribsOf(set)&attribDirectory != 0 {
		f.Type = Dir
	}
	return r.ntfsRest(dir, name, f)
}

// sparseUnit is what a hole of NTFS is a multiple of, with clusters of 4 KiB.
const sparseUnit = 64 << 10

// findZeros looks for the holes of a sparse file, of which ntfs-3g says nothing
// but that they read as zeros.
func findZeros(fd int, size int64) (extent.List, error) {
	var b extent.Builder
	buf, zeros := make([]byte, 16*sparseUnit), make([]byte, sparseUnit)
	for at := int64(0); at < size; at += int64(len(buf)) {
		n, err := readFile(fd, buf[:min(int64(len(buf)), size-at)], at)
		if err != nil {
			return nil, err
		}
		for off := 0; off < n; off += sparseUnit {
			unit := buf[off:min(off+sparseUnit, n)]
			if !bytes.Equal(unit, zeros[:len(unit)]) {
				b.Add(at+int64(off), int64(len(unit)))
			}
		}
	}
	return b.List(), nil
}
