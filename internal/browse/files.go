package browse

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"github.com/ingot-imaging/ingot/internal/system"
)

// Files is a Tree as those look at it who also look at mounted ones: by names that
// lead through links, inside the tree.
type Files struct{ *Tree }

var _ system.Files = Files{}

// Stat describes what a name leads to.
func (f Files) Stat(name string) (fs.FileInfo, error) {
	at, err := f.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	e, err := f.Lstat(at)
	return info{e}, err
}

// Fold returns a name as the tree spells it; volumes whose names ignore case do
// that in Resolve.
func (f Files) Fold(name string) (string, error) {
	at, err := f.Resolve(name, true)
	return "/" + at, err
}

// ReadDir lists what a name leads to.
func (f Files) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := f.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	entries, err := f.Tree.ReadDir(at)
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = fs.FileInfoToDirEntry(info{e})
	}
	return list, err
}

// ReadFile returns the bytes of a regular file of at most limit bytes.
func (f Files) ReadFile(name string, limit int64) ([]byte, error) {
	file, err := f.Follow(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.Size() > limit {
		return nil, fmt.Errorf("%s has %d bytes, more than the %d that are read", name, file.Size(), limit)
	}
	return start(file, limit)
}

// Peek returns the first n bytes of a regular file, fewer of one that is shorter.
func (f Files) Peek(name string, n int64) ([]byte, error) {
	file, err := f.Follow(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return start(file, n)
}

// Follow opens the regular file that a name leads to.
func (f Files) Follow(name string) (File, error) {
	at, err := f.Resolve(name, true)
	if err != nil {
		return nil, err
	}
	return f.Open(at)
}

// start returns the first n bytes of a file.
func start(f File, n int64) ([]byte, error) {
	data := make([]byte, max(0, min(n, f.Size())))
	got, err := f.ReadAt(data, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return data[:got], err
}

// info is an Entry as a fs.FileInfo.
type info struct{ e Entry }

func (i info) Name() string       { return i.e.Name }
func (i info) Size() int64        { return i.e.Size }
func (i info) Mode() fs.FileMode  { return i.e.Mode }
func (i info) ModTime() time.Time { return i.e.Mtime }
func (i info) IsDir() bool        { return i.e.IsDir() }
func (i info) Sys() any           { return nil }
