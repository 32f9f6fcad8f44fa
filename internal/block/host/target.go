package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
)

// TargetOptions says how to open a target; the zero value is right for every disk.
type TargetOptions struct {
	// CreateSize makes an image file that is not there (or is empty) as a sparse
	// file of this many bytes. 0: the file must exist.
	CreateSize int64
	// SectorSize is the logical sector size in bytes to assume of an image file;
	// 0 is 512. A block device knows its own.
	SectorSize int
}

// Target is a disk or raw image file that is overwritten. Nobody else can mount
// or claim the disk while it is open, and no second Target on it is opened.
type Target struct {
	write    *os.File // O_DIRECT unless align is 1
	read     *os.File // through the page cache
	geometry geometry
	disk     Disk
	discard  bool

	align  int        // of offset, length and memory of a direct write in bytes; 1: not direct
	patch  sync.Mutex // one read-modify-write of a sector at a time
	bounce sync.Pool  // of *[]byte, aligned, bounceBytes long
}

var (
	_ block.Writer   = (*Target)(nil)
	_ block.Sectored = (*Target)(nil)
)

// OpenTarget opens a disk, partition or raw image file for overwriting. Errors:
// *NotFoundError, *KindError, *BusyError, *ReadOnlyError; nothing was written
// when there is one.
func OpenTarget(path string, opts TargetOptions) (*Target, error) {
	created, err := prepare(path, opts.CreateSize)
	if err != nil {
		return nil, err
	}
	t, err := openTarget(path, opts)
	if err != nil && created {
		os.Remove(path)
	}
	return t, err
}

func openTarget(path string, opts TargetOptions) (_ *Target, err error) {
	uses, err := InUse(path)
	if err != nil {
		return nil, err
	}
	if len(uses) > 0 {
		return nil, &BusyError{path, uses}
	}
	t := &Target{align: 1}
	t.bounce.New = func() any { b := AlignedBuffer(bounceBytes); return &b }
	if t.write, err = openExclusive(path); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			t.Close()
		}
	}()
	if err = lock(t.write); err != nil {
		return nil, err
	}
	if t.geometry, err = measure(t.write, opts.SectorSize); err != nil {
		return nil, err
	}
	if err = t.checkWritable(); err != nil {
		return nil, err
	}
	if t.disk, err = describe(t.write, t.geometry); err != nil {
		return nil, err
	}
	if t.read, err = reopen(t.write); err != nil {
		return nil, err
	}
	t.discard = t.canDiscard()
	return t, t.goDirect()
}

// prepare checks that path is there, or creates it, and reports whether it did.
func prepare(path string, size int64) (created bool, err error) {
	info, err := statKind(path)
	var missing *NotFoundError
	if errors.As(err, &missing) {
		if size <= 0 || inDev(path) {
			return false, err
		}
		return true, create(path, size)
	}
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	if inDev(path) {
		return false, &KindError{path, "a regular file in /dev, left there by a mistyped disk name"}
	}
	if info.Size() == 0 && size > 0 {
		return false, os.Truncate(path, size)
	}
	return false, nil
}

// inDev reports whether a file at path would lie among the device nodes;
// /dev/shm is a place for files.
func inDev(path string) bool {
	abs, err := filepath.Abs(path)
	if err != nil {
		return true
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(abs)); err == nil {
		abs = filepath.Join(dir, filepath.Base(abs))
	}
	return strings.HasPrefix(abs, "/dev/") && !strings.HasPrefix(abs, "/dev/shm/")
}

// create makes a sparse file, readable by its owner only (an image holds all
// that a disk holds), whose name survives a power cut.
func create(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		os.Remove(path)
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, unix.EINVAL) {
		return err
	}
	return f.Sync()
}

// openExclusive opens for writing; of a block device as its only holder, which
// O_EXCL without O_CREAT means to the kernel. The kernel keeps mounts and other
// holders out from here on. EBUSY may be somebody who only looked, as InUse does.
func openExclusive(path string) (*os.File, error) {
	for try := 0; ; try++ {
		f, err := os.OpenFile(path, os.O_RDWR|unix.O_EXCL, 0)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, unix.EROFS), errors.Is(err, unix.EACCES) && readOnlyDevice(path):
			return nil, &ReadOnlyError{path}
		case !errors.Is(err, unix.EBUSY):
			return nil, err
		case try == 5:
			uses, _ := InUse(path)
			return nil, &BusyError{path, uses}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// readOnlyDevice tells a read-only device from missing permission, both EACCES.
func readOnlyDevice(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	ro, err := ioctlUint32(f, unix.BLKROGET)
	return err == nil && ro != 0
}

// checkWritable asks the device itself: some kernels let a read-only device be
// opened for writing.
func (t *Target) checkWritable() error {
	if !t.geometry.device {
		return nil
	}
	ro, err := ioctlUint32(t.write, unix.BLKROGET)
	if err != nil {
		return fmt.Errorf("ask whether %s is read-only: %w", t.Path(), err)
	}
	if ro != 0 {
		return &ReadOnlyError{t.Path()}
	}
	return nil
}

// lock keeps a second ingot away from an image file, and udev from probing a
// disk that is being written (systemd's "Locking Block Device Access"). udev
// itself locks for moments, hence the retries.
func lock(f *os.File) error {
	for try := 0; ; try++ {
		err := control(f, func(fd int) error { return unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) })
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK):
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		case try == 5:
			return &BusyError{f.Name(), []Use{{Device: f.Name(), What: UseLocked}}}
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// reopen opens the same disk a second time, for reading, even if its name has
// come to mean another one.
func reopen(f *os.File) (*os.File, error) {
	var fd int
	err := control(f, func(old int) (err error) {
		fd, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", old), unix.O_RDONLY|unix.O_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, &fs.PathError{Op: "open a second time", Path: f.Name(), Err: err}
	}
	return os.NewFile(uintptr(fd), f.Name()), nil
}

// Path is the path that was opened.
func (t *Target) Path() string { return t.write.Name() }

// Describe tells what was opened, as Stat does.
func (t *Target) Describe() Disk { return t.disk }

func (t *Target) Size() int64     { return t.geometry.size }
func (t *Target) SectorSize() int { return t.geometry.logicalSector }

// Close gives the disk back. It does not sync: data that must survive a power
// cut needs Sync before.
func (t *Target) Close() error {
	var err error
	if t.read != nil {
		err = t.read.Close()
	}
	return errors.Join(err, t.write.Close())
}
