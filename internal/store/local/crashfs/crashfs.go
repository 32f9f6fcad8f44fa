// Package crashfs is a file system in memory that forgets at a crash what was
// not synced, for tests of what a store looks like after a power cut.
//
// It is as forgetful as POSIX allows, which is more than real file systems are:
// a name is on the disk once its folder was synced, each by itself; the bytes of
// a file are there once the file was synced, and until then are cut, or zeros, or
// whole. FS is what programs see; CrashAfter kills the program at any step; Crash
// is what the next one finds.
package crashfs

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/store/local"
)

// ErrDead is what every call returns once the program was killed.
var ErrDead = errors.New("the program was killed")

// FS is a file system with its program alive. Make one with New.
type FS struct {
	mu    sync.Mutex
	root  *node
	steps int
	limit int // steps that the program lives for; -1: for ever
	temps int
}

var _ local.FileSystem = (*FS)(nil)

// node is a file or a folder; a file may have several names.
type node struct {
	data   []byte // never changed in place
	synced bool   // data is on the disk
	put    time.Time

	names   map[string]*node // of a folder, as programs see it; nil for a file
	durable map[string]*node // what the disk says
}

func newFolder() *node {
	return &node{put: time.Now(), names: map[string]*node{}, durable: map[string]*node{}}
}

// New returns an empty file system.
func New() *FS { return &FS{root: newFolder(), limit: -1} }

// CrashAfter kills the program when it has changed or synced something n more
// times.
func (f *FS) CrashAfter(n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.limit = f.steps + n
}

// Steps is how many times something was changed or synced.
func (f *FS) Steps() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.steps
}

// Dead reports whether the program was killed.
func (f *FS) Dead() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.limit >= 0 && f.steps >= f.limit
}

// enter locks the file system, for a change or sync if step is set.
func (f *FS) enter(step bool) (leave func(), err error) {
	f.mu.Lock()
	if f.limit >= 0 && f.steps >= f.limit {
		f.mu.Unlock()
		return nil, ErrDead
	}
	if step {
		f.steps++
	}
	return f.mu.Unlock, nil
}

func (f *FS) lookup(op, path string) (*node, error) {
	n := f.root
	for part := range strings.SplitSeq(strings.Trim(filepath.Clean(path), "/"), "/") {
		if part == "" || part == "." {
			continue
		}
		if n = n.names[part]; n == nil {
			return nil, &fs.PathError{Op: op, Path: path, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// folder returns the folder that path lies in, and the last part of path.
func (f *FS) folder(op, path string) (*node, string, error) {
	dir, err := f.lookup(op, filepath.Dir(path))
	if err == nil && dir.names == nil {
		err = &fs.PathError{Op: op, Path: path, Err: fs.ErrInvalid}
	}
	return dir, filepath.Base(path), err
}

// WriteTemp implements local.FileSystem in three steps: create, write, sync.
func (f *FS) WriteTemp(dir string, data []byte) (path string, err error) {
	leave, err := f.enter(true)
	if err != nil {
		return "", err
	}
	f.temps++
	path = filepath.Join(dir, "put-"+strconv.Itoa(f.temps))
	file := &node{put: time.Now()}
	parent, name, err := f.folder("create", path)
	if err == nil {
		parent.names[name] = file
	}
	leave()
	if err != nil {
		return "", err
	}
	if leave, err = f.enter(true); err != nil {
		return "", err
	}
	file.data = bytes.Clone(data)
	leave()
	if leave, err = f.enter(true); err != nil {
		return "", err
	}
	file.synced = true
	leave()
	return path, nil
}

// Link implements local.FileSystem.
func (f *FS) Link(tmp, path string) error {
	return f.change("link", path, func(dir *node, name string) error {
		file, err := f.lookup("link", tmp)
		if err != nil {
			return err
		}
		if dir.names[name] != nil {
			return fs.ErrExist
		}
		dir.names[name] = file
		return nil
	})
}

// Remove implements local.FileSystem.
func (f *FS) Remove(path string) error {
	return f.change("remove", path, func(dir *node, name string) error {
		if dir.names[name] == nil {
			return fs.ErrNotExist
		}
		delete(dir.names, name)
		return nil
	})
}

// Mkdir implements local.FileSystem.
func (f *FS) Mkdir(path string) error {
	return f.change("mkdir", path, func(dir *node, name string) error {
		if dir.names[name] != nil {
			return fs.ErrExist
		}
		dir.names[name] = newFolder()
		return nil
	})
}

func (f *FS) change(op, path string, change func(dir *node, name string) error) error {
	leave, err := f.enter(true)
	if err != nil {
		return err
	}
	defer leave()
	dir, name, err := f.folder(op, path)
	if err != nil {
		return err
	}
	if err := change(dir, name); err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// SyncDir implements local.FileSystem.
func (f *FS) SyncDir(dir string) error {
	leave, err := f.enter(true)
	if err != nil {
		return err
	}
	defer leave()
	n, err := f.lookup("sync", dir)
	if err == nil {
		n.durable = maps.Clone(n.names)
	}
	return err
}

// Open implements local.FileSystem.
func (f *FS) Open(path string) (local.File, error) {
	leave, err := f.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := f.lookup("open", path)
	if err != nil {
		return nil, err
	}
	return file{bytes.NewReader(n.data)}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

// Stat implements local.FileSystem.
func (f *FS) Stat(path string) (fs.FileInfo, error) {
	leave, err := f.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := f.lookup("stat", path)
	if err != nil {
		return nil, err
	}
	return n.info(filepath.Base(path)), nil
}

// ReadDir implements local.FileSystem.
func (f *FS) ReadDir(dir string) ([]fs.DirEntry, error) {
	leave, err := f.enter(false)
	if err != nil {
		return nil, err
	}
	defer leave()
	n, err := f.lookup("read", dir)
	if err != nil {
		return nil, err
	}
	var entries []fs.DirEntry
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		entries = append(entries, fs.FileInfoToDirEntry(n.names[name].info(name)))
	}
	return entries, nil
}

// Age makes everything older, as if the machine had been off for d.
func (f *FS) Age(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[*node]bool{}
	var age func(*node)
	age = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		n.put = n.put.Add(-d)
		for _, child := range n.names {
			age(child)
		}
	}
	age(f.root)
}

// Copy returns an independent file system with the same content and the same
// things not synced, and a new program.
func (f *FS) Copy() *FS { return f.copy(nil) }

// Crash returns what is left of f after a power cut. Of what was not synced r
// chooses what is lost.
func (f *FS) Crash(r *rand.Rand) *FS { return f.copy(r) }

func (f *FS) copy(r *rand.Rand) *FS {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := copier{r, map[*node]*node{}}
	return &FS{root: c.copy(f.root), limit: -1, temps: f.temps}
}
