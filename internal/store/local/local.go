// Package local is a store backend in a folder of a local or mounted file system.
//
// An object is written to tmp/, synced, and linked to its place, so that it is
// there as a whole or not at all, and never overwritten; the file system must
// have hard links, or renames that do not replace. Packs and maps are
// spread over 256 folders by the first two digits of their name. Open creates
// the folder; deleting what is left in tmp/ after a crash is Sweep's work.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
)

const tmpFolder = "tmp"

// Backend is a folder that holds a store.
type Backend struct {
	root    string
	fs      FileSystem
	durable sync.Map // folders whose names are known to be on the disk
}

var (
	_ store.Backend = (*Backend)(nil)
	_ store.Opener  = (*Backend)(nil)
)

// Open returns the backend in folder root, which is created when it is absent.
func Open(root string) (*Backend, error) { return OpenOn(OS{}, root) }

// OpenOn is Open on another file system than the machine's own.
func OpenOn(fsys FileSystem, root string) (*Backend, error) {
	b := &Backend{root: root, fs: fsys}
	tmp := filepath.Join(root, tmpFolder)
	if _, err := fsys.Stat(tmp); err == nil {
		return b, nil
	}
	if err := b.makeFolder(tmp); err != nil {
		return nil, fmt.Errorf("open store folder: %w", err)
	}
	return b, nil
}

// path is where key lies: packs/3f2a... in packs/3f/3f2a....
func (b *Backend) path(key string) string {
	dir, name, ok := strings.Cut(key, "/")
	if ok && spread(dir) && len(name) >= 2 {
		return filepath.Join(b.root, dir, name[:2], name)
	}
	return filepath.Join(b.root, filepath.FromSlash(key))
}

func spread(dir string) bool { return dir == "packs" || dir == "maps" }

// key is the inverse of path, for a path below root.
func key(rel string) string {
	parts := strings.Split(filepath.ToSlash(rel), "/")
	if len(parts) == 3 && spread(parts[0]) {
		return parts[0] + "/" + parts[2]
	}
	return strings.Join(parts, "/")
}

// Put implements store.Backend.
func (b *Backend) Put(ctx context.Context, key string, data []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := b.path(key)
	if _, err := b.fs.Stat(path); err == nil {
		return b.exists(key, path)
	}
	if err := b.makeFolder(filepath.Dir(path)); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	tmp, err := b.fs.WriteTemp(filepath.Join(b.root, tmpFolder), data)
	if err != nil {
		return fmt.Errorf("put %s: %w", key, b.full(err, len(data)))
	}
	defer b.fs.Remove(tmp)
	if err := b.fs.Link(tmp, path); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return b.exists(key, path)
		}
		return fmt.Errorf("put %s: %w", key, err)
	}
	if err := b.fs.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return nil
}

// full says of an error for want of room how much there is.
func (b *Backend) full(err error, need int) error {
	fsys, ok := b.fs.(roomy)
	if !ok || !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	free, size, rerr := fsys.Room(b.root)
	if rerr != nil {
		return err
	}
	return &store.FullError{Need: int64(need), Free: free, Size: size, Err: err}
}

// exists returns ErrExists once the object's name is durable: the program that
// put it may be about to sync its folder, and the caller refers to it now.
func (b *Backend) exists(key, path string) error {
	if err := b.fs.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("put %s: %w", key, err)
	}
	return fmt.Errorf("put %s: %w", key, store.ErrExists)
}

// makeFolder creates dir and what leads to it, durably. That a folder is there is
// not enough: the program that made it may have been killed before it was synced.
func (b *Backend) makeFolder(dir string) error {
	parent := filepath.Dir(dir)
	if _, ok := b.durable.Load(dir); ok || parent == dir {
		return nil
	}
	if err := b.makeFolder(parent); err != nil {
		return err
	}
	_, err := b.fs.Stat(dir)
	there := err == nil
	if !there {
		if err := b.fs.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	err = b.fs.SyncDir(parent)
	if there && errors.Is(err, fs.ErrPermission) {
		err = nil // above the store are folders of others, who keep them
	}
	if err == nil {
		b.durable.Store(dir, true)
	}
	return err
}

// Get implements store.Backend.
func (b *Backend) Get(ctx context.Context, key string, p []byte, off int64) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(p) == 0 { // reading nothing would not tell an object from a folder
		_, err := b.Stat(ctx, key)
		return err
	}
	f, err := b.fs.Open(b.path(key))
	if err != nil {
		return b.wrap("get", key, err)
	}
	defer f.Close()
	n, err := f.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("get %d bytes at %#x of %s: %w", len(p), off, key, store.ErrShort)
	}
	return b.wrap(fmt.Sprintf("get %d bytes at %#x of", len(p), off), key, err)
}

// Open implements store.Opener.
func (b *Backend) Open(ctx context.Context, key string) (store.OpenObject, store.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, store.Object{}, err
	}
	f, err := b.fs.Open(b.path(key))
	if err != nil {
		return nil, store.Object{}, b.wrap("open", key, err)
	}
	o, err := b.Stat(ctx, key)
	if err != nil {
		f.Close()
		return nil, store.Object{}, err
	}
	return f, o, nil
}

// Stat implements store.Backend.
func (b *Backend) Stat(ctx context.Context, key string) (store.Object, error) {
	if err := ctx.Err(); err != nil {
		return store.Object{}, err
	}
	info, err := b.fs.Stat(b.path(key))
	if err != nil {
		return store.Object{}, b.wrap("stat", key, err)
	}
	if info.IsDir() {
		return store.Object{}, b.wrap("stat", key, syscall.EISDIR)
	}
	return store.Object{Key: key, Size: info.Size(), ModTime: info.ModTime()}, nil
}

// wrap names act and key. A folder is no object, and nothing lies below an object.
func (b *Backend) wrap(act, key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR) {
		return fmt.Errorf("%s %s: %w", act, key, store.ErrNotFound)
	}
	return fmt.Errorf("%s %s: %w", act, key, err)
}

// List implements store.Backend.
func (b *Backend) List(ctx context.Context, prefix string, yield func(store.Object) error) error {
	return b.walk(ctx, filepath.Join(b.root, filepath.FromSlash(prefix)), func(o store.Object) error {
		if !strings.HasPrefix(o.Key, prefix) {
			return nil // packs/3f/ is a folder, but no prefix of packs/3f2a...
		}
		return yield(o)
	})
}

func (b *Backend) walk(ctx context.Context, dir string, yield func(store.Object) error) error {
	entries, err := b.fs.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		path := filepath.Join(dir, e.Name())
		if e.IsDir() {
			if path == filepath.Join(b.root, tmpFolder) {
				continue
			}
			if err := b.walk(ctx, path, yield); err != nil {
				return err
			}
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted while we listed
		}
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		rel, err := filepath.Rel(b.root, path)
		if err != nil {
			return fmt.Errorf("list: %w", err)
		}
		if err := yield(store.Object{Key: key(rel), Size: info.Size(), ModTime: info.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}

// Delete implements store.Backend.
func (b *Backend) Delete(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := b.path(key)
	err := b.fs.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	if err := b.fs.SyncDir(filepath.Dir(path)); err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	return nil
}

// Sweep deletes temporary files that a killed writer left behind and that are
// older than age, and returns how many bytes that freed.
func (b *Backend) Sweep(age time.Duration) (int64, error) {
	entries, err := b.fs.ReadDir(filepath.Join(b.root, tmpFolder))
	if err != nil {
		return 0, fmt.Errorf("sweep store folder: %w", err)
	}
	var freed int64
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || time.Since(info.ModTime()) < age {
			continue
		}
		if err := b.fs.Remove(filepath.Join(b.root, tmpFolder, e.Name())); err == nil {
			freed += info.Size()
		}
	}
	return freed, nil
}
