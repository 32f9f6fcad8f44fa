package start

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Loader loads modules into the running kernel, each once. It is safe for
// concurrent use.
type Loader struct {
	dir     string
	modules *Modules

	mu   sync.Mutex
	once map[string]func() error
}

// NewLoader returns the loader for the kernel that runs. A kernel without modules,
// as one that has all built in, gets one that finds nothing.
func NewLoader() (*Loader, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return nil, fmt.Errorf("ask the kernel for its version: %w", err)
	}
	dir := filepath.Join("/lib/modules", unix.ByteSliceToString(name.Release[:]))
	modules, err := ReadModules(os.DirFS(dir))
	if err != nil {
		return &Loader{dir: dir, modules: &Modules{}, once: map[string]func() error{}}, fmt.Errorf("%s: %w", dir, err)
	}
	return &Loader{dir: dir, modules: modules, once: map[string]func() error{}}, modules.Ban(os.DirFS("/etc/modprobe.d"))
}

// parallel is how many modules are loaded at once. Loading one probes its devices,
// which mostly waits.
const parallel = 4

// Load loads the named modules that are there and what they need.
func (l *Loader) Load(names ...string) error {
	var mu sync.Mutex
	var failures []error
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, name := range names {
		g.Go(func() error {
			for _, n := range l.modules.Order(name) {
				if err := l.load(n); err != nil {
					mu.Lock()
					failures = append(failures, err)
					mu.Unlock()
				}
			}
			return nil
		})
	}
	g.Wait()
	return errors.Join(failures...)
}

// Drive loads what claims the devices, given by their modaliases.
func (l *Loader) Drive(modaliases ...string) error {
	var names []string
	for _, m := range modaliases {
		names = append(names, l.modules.Match(m)...)
	}
	return l.Load(names...)
}

// load loads one module whose needs are loaded. Who comes second waits and is told
// nothing.
func (l *Loader) load(name string) error {
	l.mu.Lock()
	once, ok := l.once[name]
	if !ok {
		once = sync.OnceValue(func() error { return l.insert(name) })
		l.once[name] = once
	}
	l.mu.Unlock()
	err := once()
	if ok {
		return nil
	}
	return err
}

// insert hands a file to the kernel, which unpacks .xz and .zst itself.
func (l *Loader) insert(name string) error {
	file := l.modules.File(name)
	f, err := os.Open(filepath.Join(l.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // a boot environment need not have all that depmod knew
	}
	if err != nil {
		return err
	}
	defer f.Close()
	flags := 0
	if !strings.HasSuffix(file, ".ko") {
		flags = unix.MODULE_INIT_COMPRESSED_FILE
	}
	err = unix.FinitModule(int(f.Fd()), "", flags)
	// ENODEV is what a driver says whose hardware is not there: an alias may claim more
	// than that.
	if err == nil || errors.Is(err, unix.EEXIST) || errors.Is(err, unix.ENODEV) {
		return nil
	}
	return fmt.Errorf("load module %s: %w", name, err)
}
