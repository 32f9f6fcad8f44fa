package host

import (
	"errors"
	"os"
	"sync"

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

	align  int        // of offset, length and memory of a direct write in bytes; 1: not direct
	patch  sync.Mutex // one read-modify-write of a sector at a time
	bounce sync.Pool  // of *[]byte, aligned, bounceBytes long
}

var (
	_ block.Writer   = (*Target)(nil)
	_ block.Sectored = (*Target)(nil)
	_ block.Sparse   = (*Target)(nil)
)

// OpenTarget opens a disk, partition or raw image file for overwriting. Errors:
// *NotFoundError, *KindError, *BusyError, *ReadOnlyError; nothing was written
// when there is one.
func OpenTarget(path string, opts TargetOptions) (*Target, error) {
	created, err := prepare(path, opts.CreateSize)
	if err != nil {
		return nil, err
	}
	t, err := openTarget(path, opts.SectorSize)
	if err != nil && created {
		os.Remove(path)
	}
	return t, err
}

func openTarget(path string, sector int) (*Target, error) {
	uses, err := InUse(path)
	if err != nil {
		return nil, err
	}
	if len(uses) > 0 {
		return nil, &BusyError{path, uses}
	}
	f, err := openExclusive(path)
	if err != nil {
		return nil, err
	}
	t := &Target{write: f, align: 1}
	t.bounce.New = func() any { b := block.AlignedBuffer(bounceBytes); return &b }
	if err := t.setUp(sector); err != nil {
		t.Close()
		return nil, err
	}
	return t, nil
}

func (t *Target) setUp(sector int) (err error) {
	if err := lock(t.write); err != nil {
		return err
	}
	if t.geometry, err = measure(t.write, sector); err != nil {
		return err
	}
	if err := t.checkWritable(); err != nil {
		return err
	}
	if t.disk, err = describe(t.write, t.geometry); err != nil {
		return err
	}
	if t.read, err = reopen(t.write); err != nil {
		return err
	}
	forgetStale(t.read, t.geometry)
	return t.goDirect()
}

// Path is the path that was opened.
func (t *Target) Path() string { return t.write.Name() }

// Describe tells what was opened, as Stat does.
func (t *Target) Describe() Disk { return t.disk }

func (t *Target) Size() int64     { return t.geometry.size }
func (t *Target) SectorSize() int { return t.geometry.logicalSector }

// NextData finds holes of an image file, as that of a Source does.
func (t *Target) NextData(off int64) (start, end int64, err error) {
	return nextData(t.read, t.geometry, off)
}

// Close gives the disk back. It does not sync: data that must survive a power
// cut needs Sync before.
func (t *Target) Close() error {
	var err error
	if t.read != nil {
		err = t.read.Close()
	}
	return errors.Join(err, t.write.Close())
}
