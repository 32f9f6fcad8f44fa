package lint

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/browse"
	winsys "github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/system"
)

// maxText bounds a configuration file that is read, bytes.
const maxText = 1 << 20

// tree is the files of a volume or a system, for checks. Names lead through links,
// inside the tree.
type tree struct {
	*browse.Tree
	ignoreCase bool // in patterns; names are as the volume has it
}

var (
	_ system.Files = tree{}
	_ winsys.Files = tree{}
)

// Stat implements system.Files.
func (t tree) Stat(name string) (fs.FileInfo, error) {
	at, err := t.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	e, err := t.Lstat(at)
	return fileInfo{e}, err
}

// Fold implements system.Files.
func (t tree) Fold(name string) (string, error) {
	at, err := t.Resolve(name, true)
	return "/" + at, err
}

// ReadDir lists what a name leads to.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := t.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	entries, err := t.Tree.ReadDir(at)
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = fs.FileInfoToDirEntry(fileInfo{e})
	}
	return list, err
}

// open opens what a name leads to, a regular file.
func (t tree) open(name string) (browse.File, error) {
	at, err := t.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	return t.Open(at)
}

// ReadFile returns the bytes of a regular file of at most limit bytes.
func (t tree) ReadFile(name string, limit int64) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if f.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are read", name, f.Size(), limit)
	}
	return start(f, limit)
}

// Peek returns the first n bytes of a regular file, fewer of one that is shorter.
func (t tree) Peek(name string, n int64) ([]byte, error) {
	f, err := t.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return start(f, n)
}

func start(f browse.File, n int64) ([]byte, error) {
	data := make([]byte, max(0, min(n, f.Size())))
	got, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data[:got], err
}

// absent reports whether an error says that a name leads nowhere.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP)
}

// text is a configuration file; "" where there is none, or something that is no
// regular file.
func (t tree) text(name string) (string, error) {
	info, err := t.Stat(name)
	if absent(err) || err == nil && !info.Mode().IsRegular() {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	data, err := t.ReadFile(name, maxText)
	return string(data), err
}

// exists reports whether a name leads to something.
func (t tree) exists(name string) bool {
	_, err := t.Stat(name)
	return err == nil
}

// size is that of a regular file; 0 where there is none.
func (t tree) size(name string) int64 {
	info, err := t.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return 0
	}
	return info.Size()
}

// fileInfo is an entry as a fs.FileInfo.
type fileInfo struct{ e browse.Entry }

func (i fileInfo) Name() string       { return i.e.Name }
func (i fileInfo) Size() int64        { return i.e.Size }
func (i fileInfo) Mode() fs.FileMode  { return i.e.Mode }
func (i fileInfo) ModTime() time.Time { return i.e.Mtime }
func (i fileInfo) IsDir() bool        { return i.e.IsDir() }
func (i fileInfo) Sys() any           { return nil }
