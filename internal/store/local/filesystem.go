package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// FileSystem is what Backend needs of a file system. The crash tests put one
// under it that loses what was not synced.
type FileSystem interface {
	// WriteTemp writes data to a new file in dir, syncs it and returns its path.
	// On an error nothing is left.
	WriteTemp(dir string, data []byte) (path string, err error)
	// Link makes path a second name of the file tmp; fs.ErrExist when path is there.
	Link(tmp, path string) error
	Remove(path string) error
	Mkdir(path string) error
	// SyncDir makes the names in dir durable.
	SyncDir(dir string) error
	Open(path string) (File, error)
	Stat(path string) (fs.FileInfo, error)
	ReadDir(dir string) ([]fs.DirEntry, error)
}

// File is an object open for reading.
type File interface {
	io.ReaderAt
	io.Closer
}

// roomy is a FileSystem that knows how much room it has, in bytes.
type roomy interface {
	Room(dir string) (free, size int64, err error)
}

// OS is the machine's own file system.
type OS struct{}

// Room is what the file system of dir has left for this program, and in all.
func (OS) Room(dir string) (free, size int64, err error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, 0, err
	}
	unit := int64(st.Bsize)
	return int64(st.Bavail) * unit, int64(st.Blocks) * unit, nil
}

func (OS) WriteTemp(dir string, data []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, "put-")
	if err != nil {
		return "", err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	if err := f.Chmod(0o640); err != nil && !errors.Is(err, syscall.EPERM) {
		return "", err // a FAT or SMB mount has no modes to set
	}
	if _, err := f.Write(data); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

// Link falls back to RenameNew where the file system has no hard links: FAT,
// exFAT, some SMB shares and FUSE file systems.
func (OS) Link(tmp, path string) error {
	err := os.Link(tmp, path)
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOSYS) {
		return RenameNew(tmp, path)
	}
	return err
}

func (OS) Remove(path string) error { return os.Remove(path) }
func (OS) Mkdir(path string) error  { return os.Mkdir(path, 0o750) }

func (OS) SyncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err // EINVAL: a file system that has no directories to sync
	}
	return nil
}

func (OS) Open(path string) (File, error)            { return os.Open(path) }
func (OS) Stat(path string) (fs.FileInfo, error)     { return os.Stat(path) }
func (OS) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }
