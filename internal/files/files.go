// Package files captures a volume as a tree of files, and makes the tree again
// in a volume of any size and kind.
//
// It owns the listing, which holds the names and attributes of all files and
// says where in one long region of contents the bytes of each lie. Both are
// regions of an image like any other: bytes in chunks. doc/format.md has the
// listing's form.
//
// Walk reads a tree and gives both regions. ReadListing and Apply go the other
// way; Compare looks whether a directory holds what a listing says. A listing
// is not trusted: Parse refuses names that are no names, and Apply and Compare
// reach every file from its directory, by one name, without following a link.
package files

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// Type is what an entry of a directory is. The numbers are those of the format.
type Type uint8

const (
	Dir         Type = 1
	File        Type = 2
	Symlink     Type = 3
	CharDevice  Type = 4
	BlockDevice Type = 5
	FIFO        Type = 6
	Socket      Type = 7
	Link        Type = 8 // another name of an earlier entry
)

func (t Type) String() string {
	names := [...]string{Dir: "directory", File: "file", Symlink: "link", CharDevice: "character device",
		BlockDevice: "block device", FIFO: "FIFO", Socket: "socket", Link: "hard link"}
	if int(t) >= len(names) || names[t] == "" {
		return fmt.Sprintf("type %d", uint8(t))
	}
	return names[t]
}

// Time is a moment: seconds since 1970, which may be negative, and nanoseconds.
type Time struct {
	Sec  int64
	Nsec uint32
}

// Entry is a file by one of its names.
type Entry struct {
	Name   string // one element, any bytes but '/' and NUL; "" for the root
	Parent int32  // its directory's number; the root is its own
	First  int32  // of a directory: the number of its first entry, the others follow
	Count  int32  // of a directory: how many entries it has

	Type         Type
	Mode         uint16 // permission bits with set-user-ID, set-group-ID and sticky bit
	UID, GID     uint32
	Flags        uint32 // of the inode, as FS_IOC_GETFLAGS has them; see keptFlags
	Attrs        uint32 // number of its extended attributes in Listing.Sets; 0: it has none
	Mtime, Atime Time

	Data       // of a file
	More *More // nil for most
}

// More is what few entries have. The entry of a Link has nothing else.
type More struct {
	Target       string // of a symbolic link
	Major, Minor uint32 // of a device
	Link         int32  // of a Link: the number of the entry whose other name it is

	Times     *NTFSTimes
	Streams   []Stream // named streams of NTFS, ascending by name
	Subvolume bool     // the directory is a subvolume of btrfs
	ReadOnly  bool     // and one that cannot be written to
	Reserved  bool     // space is reserved for all of the file, whatever its data is
}

// NTFSTimes are the times that only NTFS keeps apart and lets be set.
type NTFSTimes struct{ Birth, Change Time }

// Stream is a named stream of an NTFS file or directory.
type Stream struct {
	Name string
	Data
}

// Data says where the bytes of a file are in the contents.
type Data struct {
	Size   int64
	At     int64       // of its first byte, a multiple of chunk.Grid
	Sparse bool        // there are bytes that Extents leave out, and these are zeros
	Stored extent.List // where Sparse: the bytes there are, on the grid, one after the other in the contents, each beginning on the grid
}

// length is how many bytes of the contents d takes.
func (d *Data) length() int64 {
	if !d.Sparse {
		return onGrid(d.Size)
	}
	var n int64
	for _, e := range d.Stored {
		n += onGrid(e.Length)
	}
	return n
}

// onGrid rounds up to the grid.
func onGrid(n int64) int64 { return (n + chunk.Grid - 1) &^ (chunk.Grid - 1) }

// Attr is an extended attribute.
type Attr struct {
	Name  string
	Value []byte
}

// Listing is the names and attributes of all files of a volume.
type Listing struct {
	Kind     string            // of the file system it was read from, as volume.Info.Kind; "" when it is none that is known
	Spec     map[string]string // what a like file system is made by; the words are those of its maker
	Contents int64             // size of the contents, a multiple of chunk.Grid, not 0
	Sets     [][]Attr          // sets of extended attributes; the first is empty
	Entries  []Entry           // the root, its entries, the entries of its first directory, and so on

	order []datum // what lies in the contents, in that order
}

// datum is the data of an entry, or of one of its streams.
type datum struct {
	entry  int32
	stream int32 // -1: the entry's own
}

// data is what d stands for.
func (l *Listing) data(d datum) *Data {
	e := &l.Entries[d.entry]
	if d.stream < 0 {
		return &e.Data
	}
	return &e.More.Streams[d.stream].Data
}

// Path is the name of an entry from the root on, without a slash in front; "" is
// the root.
func (l *Listing) Path(i int32) string {
	var parts []string
	for ; i != 0; i = l.Entries[i].Parent {
		parts = append(parts, l.Entries[i].Name)
	}
	slices.Reverse(parts)
	return strings.Join(parts, "/")
}

// path names d for a person.
func (l *Listing) path(d datum) string {
	name := l.Path(d.entry)
	if d.stream >= 0 {
		name += ":" + l.Entries[d.entry].More.Streams[d.stream].Name
	}
	return name
}

// Children are the numbers of a directory's entries: from first up to end.
func (e *Entry) Children() (first, end int32) { return e.First, e.First + e.Count }

// Find returns the number of the entry with a name below the root; of a hard
// link that of the file itself. Links are not followed.
func (l *Listing) Find(name string) (int32, bool) {
	at := int32(0)
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." {
			continue
		}
		e := &l.Entries[at]
		if e.Type != Dir {
			return 0, false
		}
		first, end := e.Children()
		i, ok := slices.BinarySearchFunc(l.Entries[first:end], part, func(e Entry, name string) int { return strings.Compare(e.Name, name) })
		if !ok {
			return 0, false
		}
		at = first + int32(i)
	}
	if e := &l.Entries[at]; e.Type == Link {
		at = e.More.Link
	}
	return at, true
}

// Bytes is the sum of the sizes of all files, holes included.
func (l *Listing) Bytes() int64 {
	var n int64
	for i := range l.Entries {
		n += l.Entries[i].Size
	}
	return n
}
