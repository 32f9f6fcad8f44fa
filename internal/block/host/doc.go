// Package host opens the real disks and raw image files of a Linux machine. It
// is the only package that makes ioctls.
//
// It owns how a disk is identified (List, Stat), who uses it (InUse), how it is
// read (OpenSource) and how it is written (OpenTarget). It knows nothing of
// partition tables and file systems.
//
// It refuses: what is neither a block device nor a regular file, and what is
// empty (*KindError); as a target also what anybody else uses, even for reading
// (*BusyError), a read-only device (*ReadOnlyError), and a new file below /dev,
// which is a mistyped disk (*NotFoundError).
package host
