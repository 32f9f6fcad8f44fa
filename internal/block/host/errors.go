package host

import (
	"fmt"
	"io/fs"
	"strings"
)

// KindError says that a path is nothing that can be imaged.
type KindError struct {
	Path string
	Kind string // what it is instead, such as "a folder" or "empty"
}

func (e *KindError) Error() string {
	return fmt.Sprintf("open %s: it is %s, want a block device or a raw image file", e.Path, e.Kind)
}

// NotFoundError says that there is no such disk or image file, and that none
// was made.
type NotFoundError struct {
	Path string
}

func (e *NotFoundError) Error() string { return "open " + e.Path + ": no such disk or image file" }

// Unwrap makes errors.Is(err, fs.ErrNotExist) true.
func (e *NotFoundError) Unwrap() error { return fs.ErrNotExist }

// BusyError says that a target is in use. Uses is empty when the kernel refused
// the disk without a user that this process can see.
type BusyError struct {
	Path string
	Uses []Use
}

func (e *BusyError) Error() string {
	if len(e.Uses) == 0 {
		return "open " + e.Path + " for writing: another program holds it"
	}
	uses := make([]string, len(e.Uses))
	for i, u := range e.Uses {
		uses[i] = u.String()
	}
	return "open " + e.Path + " for writing: " + strings.Join(uses, "; ")
}

// ReadOnlyError says that a device takes no writes: a write-protect switch, or
// set so by blockdev --setro.
type ReadOnlyError struct {
	Path string
}

func (e *ReadOnlyError) Error() string {
	return "open " + e.Path + " for writing: the device is read-only"
}

// IOError is a read or a write that failed. The bytes before Offset were
// transferred.
type IOError struct {
	Op     string // "read", "write", "discard", "zero"
	Path   string
	Offset int64 // of the first byte that was not transferred
	Err    error
}

func (e *IOError) Error() string {
	return fmt.Sprintf("%s %s at %#x: %v", e.Op, e.Path, e.Offset, e.Err)
}

func (e *IOError) Unwrap() error { return e.Err }
