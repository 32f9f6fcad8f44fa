package files

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
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

// attribDirectory is FILE_ATTRIBUTE_DIRECTORY of [MS-FSCC] 2.6.
const attribDirectory = 0x10

// ntfs reads what only NTFS has of a file, which is name in dir.
func (r *entryReader) ntfs(dir int, name string, f *found) (err error) {
	if f.set, err = r.attrs.read(attrsOfName(inProc(dir, name)), ntfsUnlisted); err != nil {
		return err
	}
	return r.ntfsRest(dir, name, f)
}

func (r *entryReader) ntfsRest(dir int, name string, f *found) error {
	path, times := inProc(dir, name), make([]byte, 32)
	more := f.more()
	n, err := unix.Lgetxattr(path, ntfsTimes, times)
	if err == nil && n == len(times) {
		more.Times = &NTFSTimes{Birth: fromNTFS(times), Change: fromNTFS(times[24:])}
	}
	if more.Streams, err = r.streams(dir, name); err != nil {
		return err
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
	path := inProc(dir, name)
	set, err := r.attrs.read(attrsOfName(path), ntfsUnlisted)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(set, func(a Attr) bool { return a.Name == ntfsReparse })
	if i < 0 { // made by ntfs-3g: a system file with the target in it
		target, err := readLink(dir, name)
		f.set, f.More = set, &More{Target: target}
		return err
	}
	f.Type, f.set, f.Size, f.leaf = File, set, 0, true
	for _, a := range set {
		if a.Name == ntfsAttrib && len(a.Value) == 4 && binary.BigEndian.Uint32(a.Value)&attribDirectory != 0 {
			f.Type = Dir
		}
	}
	return r.ntfsRest(dir, name, f)
}
