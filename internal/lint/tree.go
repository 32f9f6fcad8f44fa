package lint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/browse"
	winsys "github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/system"
)

// Bounds of what is read of an image, whatever it holds.
const (
	maxText    = 1 << 20 // bytes of a configuration file
	maxMatches = 1000    // names that one pattern finds
	maxEntries = 50_000  // files that are counted below one folder
	maxDepth   = 24      // folders in each other there
	maxSize    = 1 << 45 // bytes that one file counts for, so that sums stay numbers
)

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

// glob returns the names that fit patterns in which elements may be wildcards, in
// the order of the patterns. What is not a folder has nothing in it.
func (t tree) glob(ctx context.Context, patterns ...string) ([]string, error) {
	var all []string
	for _, pattern := range patterns {
		found := []string{""}
		for _, element := range strings.Split(strings.Trim(pattern, "/"), "/") {
			var next []string
			for _, dir := range found {
				names, err := t.matches(ctx, dir, element)
				if err != nil {
					return nil, err
				}
				if next = append(next, names...); len(next) > maxMatches {
					return nil, fmt.Errorf("more than %d files are called %s", maxMatches, pattern)
				}
			}
			found = next
		}
		all = append(all, found...)
	}
	return all, nil
}

// matches are the names in dir that fit one element of a pattern.
func (t tree) matches(ctx context.Context, dir, element string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !strings.ContainsAny(element, "*?[") {
		if name := dir + "/" + element; t.exists(name) {
			return []string{name}, nil
		}
		return nil, nil
	}
	if info, err := t.Stat(dir + "/"); err != nil || !info.IsDir() {
		return nil, nil
	}
	entries, err := t.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		if t.ignoreCase {
			element, name = strings.ToLower(element), strings.ToLower(name)
		}
		if ok, err := path.Match(element, name); err != nil || !ok {
			continue
		}
		if len(names) > maxMatches {
			break
		}
		names = append(names, dir+"/"+e.Name())
	}
	return names, nil
}

// weight is how much lies below a folder.
type weight struct {
	files, bytes int64
	more         bool // it was not counted to the end
}

// weigh counts what lies below a folder, without following links.
func (t tree) weigh(ctx context.Context, name string) (weight, error) {
	at, err := t.Resolve(name, true)
	if absent(err) {
		return weight{}, nil
	}
	var w weight
	if err == nil {
		err = t.addTo(ctx, &w, at, maxDepth)
	}
	return w, err
}

func (t tree) addTo(ctx context.Context, w *weight, dir string, depth int) error {
	e, err := t.Lstat(dir)
	if err != nil || !e.IsDir() {
		return err
	}
	entries, err := t.Tree.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.files++; w.files > maxEntries {
			w.more = true
			return nil
		}
		w.bytes += min(e.Size, maxSize)
		if !e.IsDir() {
			continue
		}
		if depth == 0 {
			w.more = true
			continue
		}
		if err := t.addTo(ctx, w, strings.TrimPrefix(dir+"/"+e.Name, "/"), depth-1); err != nil {
			return err
		}
	}
	return nil
}

// fileInfo is an entry as a fs.FileInfo.
type fileInfo struct{ e browse.Entry }

func (i fileInfo) Name() string       { return i.e.Name }
func (i fileInfo) Size() int64        { return i.e.Size }
func (i fileInfo) Mode() fs.FileMode  { return i.e.Mode }
func (i fileInfo) ModTime() time.Time { return i.e.Mtime }
func (i fileInfo) IsDir() bool        { return i.e.IsDir() }
func (i fileInfo) Sys() any           { return nil }
