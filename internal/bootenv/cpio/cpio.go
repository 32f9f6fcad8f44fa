// Package cpio writes cpio archives in the "newc" form, in which the Linux kernel
// takes its initial RAM file system (Documentation/driver-api/early-userspace/
// buffer-format.rst). The same files in the same order are the same bytes: inode
// numbers are counted, owners are root, times are what the caller says.
//
// It refuses names that are not relative and clean, and files of 4 GiB and more,
// which the format cannot hold. It does not read archives.
package cpio

import (
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"
)

// Header describes the file that follows.
type Header struct {
	Name     string      // relative and clean: "etc/passwd"
	Mode     fs.FileMode // permissions, and what kind: regular, folder, symbolic link, character device
	Size     int64       // bytes that are written next; of a symbolic link: length of its target
	Modified time.Time   // whole seconds, 1970 to 2106; zero: 1970
	Major    uint32      // of a character device
	Minor    uint32
}

// Writer writes an archive. After an error it does nothing more.
type Writer struct {
	w     io.Writer
	inode uint32
	left  int64 // bytes of the file that are still to come
	at    int64 // bytes written
	err   error
}

// NewWriter writes to w, without a buffer of its own.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// What the format calls files (cpio(5), stat.h).
const (
	typeRegular   = 0o100000
	typeFolder    = 0o040000
	typeSymlink   = 0o120000
	typeCharacter = 0o020000

	headerSize = 110
	trailer    = "TRAILER!!!"
	maxName    = 4095 // PATH_MAX without its NUL; the kernel skips longer ones
	blockSize  = 512
)

// Next begins a file. The one before must be complete.
func (w *Writer) Next(h Header) error {
	if w.err != nil {
		return w.err
	}
	kind, err := check(h)
	if err == nil && w.left > 0 {
		err = fmt.Errorf("%d bytes of the file before are missing", w.left)
	}
	if err != nil {
		return fmt.Errorf("add %q to a cpio archive: %w", h.Name, err)
	}
	w.inode++
	links := uint32(1)
	if kind == typeFolder {
		links = 2
	}
	var seconds uint32
	if !h.Modified.IsZero() {
		seconds = uint32(h.Modified.Unix())
	}
	w.header([13]uint32{w.inode, kind | uint32(h.Mode.Perm()), 0, 0, links, seconds, uint32(h.Size), 0, 0, h.Major, h.Minor, uint32(len(h.Name) + 1), 0}, h.Name)
	w.left = h.Size
	return w.err
}

func check(h Header) (kind uint32, err error) {
	if h.Name == "." || !fs.ValidPath(h.Name) || len(h.Name) > maxName || strings.ContainsRune(h.Name, 0) || h.Name == trailer {
		return 0, fmt.Errorf("the name is not relative and clean")
	}
	if h.Size < 0 || h.Size >= 1<<32 {
		return 0, fmt.Errorf("%d bytes are more than the format holds", h.Size)
	}
	if s := h.Modified.Unix(); !h.Modified.IsZero() && (s < 0 || s >= 1<<32) {
		return 0, fmt.Errorf("the format does not know the year %d", h.Modified.Year())
	}
	switch h.Mode.Type() {
	case 0:
		return typeRegular, nil
	case fs.ModeDir:
		kind = typeFolder
	case fs.ModeSymlink:
		return typeSymlink, nil
	case fs.ModeDevice | fs.ModeCharDevice:
		kind = typeCharacter
	default:
		return 0, fmt.Errorf("files of type %s are not written", h.Mode.Type())
	}
	if h.Size != 0 {
		return 0, fmt.Errorf("a folder or device holds no bytes")
	}
	return kind, nil
}

func (w *Writer) header(fields [13]uint32, name string) {
	var b strings.Builder
	b.WriteString("070701")
	for _, f := range fields {
		fmt.Fprintf(&b, "%08X", f)
	}
	b.WriteString(name)
	b.WriteByte(0)
	w.put([]byte(b.String()))
	w.pad(4)
}

// Write adds bytes to the file that Next began.
func (w *Writer) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		return 0, fmt.Errorf("write %d bytes to a file in a cpio archive that has %d left", len(p), w.left)
	}
	w.left -= int64(len(p))
	w.put(p)
	if w.left == 0 {
		w.pad(4)
	}
	return len(p), w.err
}

// Close ends the archive. It does not close the writer below.
func (w *Writer) Close() error {
	if w.err == nil && w.left > 0 {
		return fmt.Errorf("end a cpio archive: %d bytes of the last file are missing", w.left)
	}
	w.header([13]uint32{4: 1, 11: uint32(len(trailer) + 1)}, trailer)
	w.pad(blockSize)
	return w.err
}

func (w *Writer) pad(to int64) {
	if over := w.at % to; over > 0 {
		w.put(make([]byte, to-over))
	}
}

func (w *Writer) put(p []byte) {
	if w.err != nil {
		return
	}
	n, err := w.w.Write(p)
	w.at += int64(n)
	w.err = err
}
