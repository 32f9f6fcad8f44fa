// Package browse reads the files inside an image by their names, whether the
// image holds a disk's blocks or its files.
//
// It owns how the volumes of an image become trees (Image.Volume), how they become
// the one tree of the system that lies on them (Image.System), what a name leads
// to in a tree, and what two images differ in (Compare). Volumes that were captured
// file by file are read from their listing and contents; the blocks of others are
// shown as a file and mounted, read-only, when a name on them is first asked for.
// It writes nothing, and refuses volumes whose kind cannot be mounted (*KindError).
//
// What an image holds is not trusted: no link leads out of a tree, and names are
// for people only after Printable. Start at New.
package browse

import (
	"context"
	"io"
	"io/fs"
	"time"
)

// Entry is a file by one of its names.
type Entry struct {
	Name         string      // one element; "" for a root
	Mode         fs.FileMode // type, permissions, set-user-ID, set-group-ID and sticky bit
	UID, GID     uint32
	Size         int64 // bytes, of a regular file
	Mtime        time.Time
	Target       string // of a symbolic link
	Major, Minor uint32 // of a device
}

// IsDir reports whether e is a directory.
func (e *Entry) IsDir() bool { return e.Mode.IsDir() }

// File is the bytes of a regular file. ReadAt may be called by several goroutines.
type File interface {
	io.ReaderAt
	io.Closer
	Size() int64
}

// volume is the files of one volume. Names are those of the volume, without a
// slash in front and without links among their elements; "" is the root.
type volume interface {
	lstat(name string) (Entry, error)
	readDir(name string) ([]Entry, error) // ascending by name
	open(name string) (File, error)       // a regular file
	// below is what is in a directory, or a file by itself, to be made elsewhere.
	below(ctx context.Context, name string) (*branch, error)
	close() error
}

// notRegularError is why some files are not opened: nothing good comes of reading a
// device or a FIFO that an image holds.
type notRegularError struct{ mode fs.FileMode }

func (e notRegularError) Error() string { return "it is " + TypeOf(e.mode) + ", not a regular file" }

// TypeOf is what a mode says of a file, as a person says it.
func TypeOf(m fs.FileMode) string {
	switch m.Type() {
	case 0:
		return "a regular file"
	case fs.ModeDir:
		return "a directory"
	case fs.ModeSymlink:
		return "a symbolic link"
	case fs.ModeDevice:
		return "a block device"
	case fs.ModeDevice | fs.ModeCharDevice:
		return "a character device"
	case fs.ModeNamedPipe:
		return "a FIFO"
	case fs.ModeSocket:
		return "a socket"
	}
	return "of an unknown type"
}
