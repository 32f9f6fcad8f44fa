package host

import (
	"errors"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// prepare checks that path is there, or creates it, and reports whether it did.
func prepare(path string, size int64) (created bool, err error) {
	info, err := statKind(path)
	var missing *NotFoundError
	if errors.As(err, &missing) {
		if size <= 0 || InDev(path) {
			return false, err
		}
		return true, create(path, size)
	}
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	if InDev(path) {
		return false, &KindError{path, "a regular file in /dev, left there by a mistyped disk name"}
	}
	if info.Size() == 0 && size > 0 {
		return false, os.Truncate(path, size)
	}
	return false, nil
}

// InDev reports whether a file at path would lie among the device nodes;
// /dev/shm is a place for files.
func InDev(path string) bool {
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
	err = errors.Join(f.Truncate(size), f.Sync(), f.Close(), syncFolder(filepath.Dir(path)))
	if err != nil {
		os.Remove(path)
	}
	return err
}

func syncFolder(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Sync(); !errors.Is(err, unix.EINVAL) { // a file system that cannot
		return err
	}
	return nil
}
