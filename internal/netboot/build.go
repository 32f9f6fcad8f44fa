package netboot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// A build is the boot environment as 'ingot bootenv build' made it at one time. Its
// files are held open: a PC that has its kernel gets the initrd that belongs to it,
// whatever has taken the build's place in the folder by then.
type build struct {
	folder fs.FileInfo
	files  map[string]*os.File

	mu    sync.Mutex
	users int // one is that it is the newest
}

// maxFiles is more than a boot environment has.
const maxFiles = 256

// openBuild opens the files of a folder. It is flat, and the builder's notes are none
// of them; no name leads out of it, not even through a link.
func openBuild(path string) (*build, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open the boot environment (made by 'ingot bootenv build'): %w", err)
	}
	defer root.Close()
	b := &build{files: map[string]*os.File{}, users: 1}
	if err = b.open(root); err != nil {
		b.release()
		return nil, fmt.Errorf("the boot environment in %s %w", path, err)
	}
	return b, nil
}

func (b *build) open(root *os.Root) (err error) {
	if b.folder, err = root.Stat("."); err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return fmt.Errorf("cannot be read: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		if info, err := root.Stat(name); err != nil || !info.Mode().IsRegular() || strings.HasSuffix(name, ".json") {
			continue // what leads out is none, either
		}
		if len(b.files) == maxFiles {
			return fmt.Errorf("has more than %d files", maxFiles)
		}
		if b.files[name], err = root.Open(name); err != nil {
			delete(b.files, name)
			return fmt.Errorf("cannot be read: %w", err)
		}
	}
	for _, name := range []string{loader.Kernel, loader.Initrd} {
		if b.files[name] == nil {
			return fmt.Errorf("has no %s: make it with 'ingot bootenv build'", name)
		}
	}
	return nil
}

// use keeps the files open until a release; false if they are closed already.
func (b *build) use() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users == 0 {
		return false
	}
	b.users++
	return true
}

func (b *build) release() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users--; b.users > 0 {
		return
	}
	for _, f := range b.files {
		f.Close()
	}
}

// stored opens a file of the build.
func (b *build) stored(name string) (*stored, error) {
	if !b.use() {
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrClosed)
	}
	file := b.files[name]
	if file == nil {
		b.release()
		return nil, fmt.Errorf("open %s: %w", name, fs.ErrNotExist)
	}
	info, err := file.Stat()
	if err != nil {
		b.release()
		return nil, err
	}
	return &stored{ReaderAt: file, size: info.Size(), release: sync.OnceFunc(b.release)}, nil
}

// stored is a file that several read at the same time.
type stored struct {
	io.ReaderAt
	size    int64
	release func()
}

func (s *stored) Size() int64 { return s.size }

func (s *stored) Close() error {
	s.release()
	return nil
}

// builds are the builds of a folder, one after the other.
type builds struct {
	path string
	log  *slog.Logger

	mu     sync.Mutex
	newest *build
	bad    fs.FileInfo // a folder that could not be opened
	tried  time.Time   // to open it, last
}

const (
	// keepBuild is for how long PCs that were told to start get the files of a build
	// after another took its place: a text lives for bootTime.
	keepBuild = bootTime + time.Minute
	// lookAgain is how long a folder that could not be opened is not opened again.
	lookAgain = 10 * time.Second
	// lookEvery is how often the folder is looked at when no PC asks: until then the
	// files of a build that was replaced take up room.
	lookEvery = time.Minute
)

// current is the newest build. While the folder is missing, or holds nothing that
// could start, it is the one before.
func (b *builds) current() *build {
	b.mu.Lock()
	defer b.mu.Unlock()
	folder, err := os.Stat(b.path)
	if err != nil || same(folder, b.newest.folder) || same(folder, b.bad) && time.Since(b.tried) < lookAgain {
		return b.newest
	}
	next, err := openBuild(b.path)
	if err != nil {
		b.bad, b.tried = folder, time.Now()
		b.log.Error("netboot: the boot environment was replaced, and the new one cannot be used; PCs still start the old one", "error", err)
		return b.newest
	}
	b.log.Info("netboot: the boot environment was replaced; PCs start the new one from now on", "folder", b.path)
	time.AfterFunc(keepBuild, b.newest.release)
	b.newest, b.bad = next, nil
	return next
}

// same reports whether a folder is the same one, with the same names in it.
func same(a, b fs.FileInfo) bool {
	return a != nil && b != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime())
}

// find opens a file of the build that a PC began to start, nil for none, or of the
// newest.
func (b *builds) find(name string, begun *build) (*stored, error) {
	if begun != nil {
		if f, err := begun.stored(name); !errors.Is(err, fs.ErrClosed) {
			return f, err
		}
	}
	f, err := b.current().stored(name)
	if errors.Is(err, fs.ErrClosed) {
		err = fmt.Errorf("open %s: the server ends: %w", name, fs.ErrNotExist)
	}
	return f, err
}

// watch looks at the folder now and then, until ctx ends.
func (b *builds) watch(ctx context.Context) {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			b.current()
		}
	}
}

func (b *builds) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.newest.release()
}
