package local_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/local"
	"github.com/ingot-imaging/ingot/internal/store/storetest"
)

func TestConformance(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Backend { return open(t, local.OS{}, t.TempDir()) })
}

// noLinks is the machine's file system as one without hard links.
type noLinks struct{ local.OS }

func (noLinks) Link(tmp, path string) error { return local.RenameNew(tmp, path) }

func TestConformanceWithoutHardLinks(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Backend { return open(t, noLinks{}, t.TempDir()) })
}

func open(t *testing.T, fsys local.FileSystem, root string) *local.Backend {
	t.Helper()
	b, err := local.OpenOn(fsys, root)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What one handle put, another one finds, and nothing is left in tmp.
func TestReopen(t *testing.T) {
	root := t.TempDir()
	key := "packs/" + strings.Repeat("3f", 32)
	if err := open(t, local.OS{}, root).Put(t.Context(), key, []byte("pack")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	if err := open(t, local.OS{}, root).Get(t.Context(), key, got, 0); err != nil || string(got) != "pack" {
		t.Errorf("got %q, %v", got, err)
	}
	if left, err := os.ReadDir(filepath.Join(root, "tmp")); err != nil || len(left) > 0 {
		t.Errorf("left in tmp: %v, %v", left, err)
	}
	if _, err := os.Stat(filepath.Join(root, "packs", "3f", strings.Repeat("3f", 32))); err != nil {
		t.Error(err)
	}
}

// recorder writes down what is asked of a file system.
type recorder struct {
	local.OS
	root  string
	calls []string
}

func (r *recorder) note(act, path string) {
	rel, _ := filepath.Rel(r.root, path)
	if strings.HasPrefix(rel, "..") {
		return // what leads to the store: whether it must be synced depends on what is known of it
	}
	r.calls = append(r.calls, act+" "+rel)
}

func (r *recorder) WriteTemp(dir string, data []byte) (string, error) {
	r.note("write", dir)
	return r.OS.WriteTemp(dir, data)
}

func (r *recorder) Link(tmp, path string) error {
	r.note("link", path)
	return r.OS.Link(tmp, path)
}

func (r *recorder) Mkdir(path string) error {
	r.note("mkdir", path)
	return r.OS.Mkdir(path)
}

func (r *recorder) SyncDir(dir string) error {
	r.note("sync", dir)
	return r.OS.SyncDir(dir)
}

func (r *recorder) Remove(path string) error {
	if filepath.Dir(path) != filepath.Join(r.root, "tmp") {
		r.note("remove", path)
	}
	return r.OS.Remove(path)
}

// The order of calls is what makes an object durable: bytes, then its name, then
// every folder that is new on the way to it.
func TestOrderOfCalls(t *testing.T) {
	r := &recorder{root: t.TempDir()}
	b := open(t, r, r.root)
	check := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(r.calls, want) {
			t.Errorf("%s:\ngot  %q\nwant %q", what, r.calls, want)
		}
		r.calls = nil
	}
	check("open", "mkdir tmp", "sync .")
	if err := b.Put(t.Context(), "packs/aabb", []byte("1")); err != nil {
		t.Fatal(err)
	}
	check("put", "mkdir packs", "sync .", "mkdir packs/aa", "sync packs", "write tmp", "link packs/aa/aabb", "sync packs/aa")
	if err := b.Put(t.Context(), "packs/aabb", []byte("1")); !errors.Is(err, store.ErrExists) {
		t.Fatal(err)
	}
	check("put of what another program may have put a moment ago", "sync packs/aa")
	if err := b.Delete(t.Context(), "packs/aabb"); err != nil {
		t.Fatal(err)
	}
	check("delete", "remove packs/aa/aabb", "sync packs/aa")
}

// fullDisk fails the n-th call that needs space.
type fullDisk struct {
	local.OS
	left int
}

var errFull = errors.New("no space left on device")

func (d *fullDisk) use() error {
	d.left--
	if d.left < 0 {
		return errFull
	}
	return nil
}

func (d *fullDisk) WriteTemp(dir string, data []byte) (string, error) {
	if err := d.use(); err != nil {
		return "", err
	}
	return d.OS.WriteTemp(dir, data)
}

func (d *fullDisk) Link(tmp, path string) error {
	return errors.Join(d.use(), d.OS.Link(tmp, path))
}

func (d *fullDisk) Mkdir(path string) error {
	if err := d.use(); err != nil {
		return err
	}
	return d.OS.Mkdir(path)
}

func TestFullDiskIsAnError(t *testing.T) {
	for n := range 4 { // mkdir packs, mkdir aa, write, link
		d := &fullDisk{left: 1 << 20}
		b := open(t, d, t.TempDir())
		d.left = n
		if err := b.Put(t.Context(), "packs/aabb", []byte("1")); !errors.Is(err, errFull) {
			t.Errorf("full at call %d: got %v", n, err)
		}
	}
}

func TestSweep(t *testing.T) {
	root := t.TempDir()
	b := open(t, local.OS{}, root)
	old, young := filepath.Join(root, "tmp", "put-old"), filepath.Join(root, "tmp", "put-young")
	for _, path := range []string{old, young} {
		if err := os.WriteFile(path, make([]byte, 100), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	freed, err := b.Sweep(time.Hour)
	if err != nil || freed != 100 {
		t.Errorf("freed %d, %v", freed, err)
	}
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the old file is still there")
	}
	if _, err := os.Stat(young); err != nil {
		t.Error(err)
	}
	err = b.List(t.Context(), "", func(o store.Object) error { return fmt.Errorf("listed %s", o.Key) })
	if err != nil {
		t.Error(err)
	}
}
