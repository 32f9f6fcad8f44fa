package e2e

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/block/loop"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// program is the program itself, with a store of its own.
type program struct{ path, store string }

func newProgram(t testing.TB) program {
	t.Helper()
	dir := t.TempDir()
	p := program{filepath.Join(dir, "ingot"), filepath.Join(dir, "store")}
	volumetest.Tool(t, "go", "build", "-o", p.path, "../../cmd/ingot")
	return p
}

func (p program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, p.path, args...)
	cmd.Env = append(os.Environ(), "INGOT_STORE="+p.store)
	return cmd
}

// run runs the program, which must succeed, and returns its output.
func (p program) run(t testing.TB, args ...string) string {
	t.Helper()
	out, said, err := p.try(t, args...)
	if err != nil {
		t.Fatalf("ingot %s: %v\n%s%s", strings.Join(args, " "), err, out, said)
	}
	return out
}

// try runs the program and returns what it wrote to stdout and to stderr.
func (p program) try(t testing.TB, args ...string) (out, said string, err error) {
	cmd := p.command(t.Context(), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// fitted is what a deploy says it did.
type fitted struct {
	Changed []string // names inside the system
	Notes   []string
	Fit     json.RawMessage
}

func (p program) deploy(t testing.TB, args ...string) (f fitted) {
	t.Helper()
	must(t, json.Unmarshal([]byte(p.run(t, append([]string{"deploy", "--yes", "--json"}, args...)...)), &f))
	return f
}

// partition is a partition as sfdisk sees it.
type partition struct {
	Start, Size int64 // bytes
	Type        string
}

// partitions are the partitions of a disk by their numbers.
func partitions(t testing.TB, disk string) map[int]partition {
	t.Helper()
	var dump struct {
		Table struct {
			Device     string `json:"device"`
			SectorSize int64  `json:"sectorsize"`
			Partitions []struct {
				Node, Type  string
				Start, Size int64
			}
		} `json:"partitiontable"`
	}
	must(t, json.Unmarshal([]byte(volumetest.Tool(t, "sfdisk", "--json", disk)), &dump))
	all := map[int]partition{}
	for _, p := range dump.Table.Partitions {
		var n int
		_, err := fmt.Sscanf(strings.TrimLeft(strings.TrimPrefix(p.Node, dump.Table.Device), "p"), "%d", &n)
		must(t, err)
		unit := cmp.Or(dump.Table.SectorSize, 512)
		all[n] = partition{p.Start * unit, p.Size * unit, p.Type}
	}
	return all
}

// mountPart mounts a partition of a disk's image file.
func mountPart(t testing.TB, disk string, number int, options ...string) (dir string, unmount func()) {
	t.Helper()
	p, ok := partitions(t, disk)[number]
	if !ok {
		t.Fatalf("%s has no partition %d", disk, number)
	}
	return mountStretch(t, disk, p.Start, p.Size, options...)
}

// mountStretch mounts a volume in a file; size 0 is to the end.
func mountStretch(t testing.TB, path string, start, size int64, options ...string) (dir string, unmount func()) {
	t.Helper()
	return mountLoop(t, path, loop.Options{Offset: start, Size: size}, options...)
}

func mountLoop(t testing.TB, path string, stretch loop.Options, options ...string) (dir string, unmount func()) {
	t.Helper()
	dev, err := loop.Attach(path, stretch)
	must(t, err)
	dir = t.TempDir()
	volumetest.Tool(t, "mount", "-o", strings.Join(append(options, "noatime"), ","), dev.Path(), dir)
	mounted := true
	unmount = func() {
		if mounted {
			mounted = false
			volumetest.Tool(t, "umount", dir)
			must(t, dev.Close())
			released(t, path)
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

// loopsOn lists the loop devices on files whose names begin with prefix.
func loopsOn(t testing.TB, prefix string) (loops []string) {
	t.Helper()
	names, err := filepath.Glob("/sys/block/loop*/loop/backing_file")
	must(t, err)
	for _, name := range names {
		if file, err := os.ReadFile(name); err == nil && strings.HasPrefix(string(file), prefix) {
			loops = append(loops, name+": "+string(file))
		}
	}
	return loops
}

// released waits until no loop device is on a file. Whoever looks at all devices of
// the machine keeps one from going, and so does every program that got mounts of
// its own meanwhile, until it ends.
func released(t testing.TB, path string) {
	t.Helper()
	for range 200 {
		if len(loopsOn(t, path)) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("still attached: %q", loopsOn(t, path))
}

// treeOf describes each file below dir, but for lost+found: everything that can be
// seen of it, but for the times of access and change.
func treeOf(t testing.TB, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	links := map[uint64]string{} // inode → the first of its names
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, dir)
		if name == "/lost+found" {
			return fs.SkipDir
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		tree[name], err = describe(path, info)
		if st := info.Sys().(*syscall.Stat_t); !d.IsDir() && st.Nlink > 1 {
			if links[st.Ino] == "" {
				links[st.Ino] = name
			}
			tree[name] += fmt.Sprintf(" %d links, first %s", st.Nlink, links[st.Ino])
		}
		return err
	}))
	return tree
}

func describe(path string, info fs.FileInfo) (string, error) {
	st := info.Sys().(*syscall.Stat_t)
	s := fmt.Sprintf("%o %d:%d %s", st.Mode, st.Uid, st.Gid, info.ModTime().UTC().Format("2006-01-02T15:04:05.999999999"))
	switch st.Mode & syscall.S_IFMT {
	case syscall.S_IFLNK:
		target, err := os.Readlink(path)
		return s + " -> " + target, err // the xattrs of links cannot be had by package syscall
	case syscall.S_IFCHR, syscall.S_IFBLK:
		s += fmt.Sprintf(" device %#x", st.Rdev)
	case syscall.S_IFREG:
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return "", err
		}
		s += fmt.Sprintf(" %d bytes %x", st.Size, h.Sum(nil)[:8])
	}
	attrs, err := xattrs(path)
	return s + attrs, err
}

func xattrs(path string) (string, error) {
	list, value := make([]byte, 1<<16), make([]byte, 1<<16)
	n, err := syscall.Listxattr(path, list)
	if errors.Is(err, syscall.ENOTSUP) || n == 0 {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s := ""
	names := strings.Split(strings.TrimSuffix(string(list[:n]), "\x00"), "\x00")
	slices.Sort(names)
	for _, name := range names {
		if strings.HasPrefix(name, "trusted.SGI_ACL_") {
			continue // how XFS shows ACLs a second time
		}
		n, err := syscall.Getxattr(path, name, value)
		if err != nil {
			return "", err
		}
		s += fmt.Sprintf(" %s=%q", name, value[:n])
	}
	return s, nil
}

// sameTrees fails the test unless two trees are equal but for the names in
// changed. A folder in which something was changed may have another time.
func sameTrees(t testing.TB, want, got map[string]string, changed []string) {
	t.Helper()
	free := map[string]bool{}
	for _, name := range changed {
		free[name] = true
	}
	touched := map[string]bool{}
	for name := range free {
		touched[strings.TrimSuffix(filepath.Dir(name), "/")] = true
		if strings.HasPrefix(name, "/boot/initrd") {
			touched["/var/tmp"] = true // where it was put together
		}
	}
	var complaints []string
	for name, w := range want {
		g, there := got[name]
		if touched[name] {
			w, g = withoutTime(w), withoutTime(g)
		}
		switch {
		case free[name], w == g:
		case !there:
			complaints = append(complaints, fmt.Sprintf("%s is gone: %s", name, w))
		default:
			complaints = append(complaints, fmt.Sprintf("%s\n    is  %s\n    was %s", name, g, w))
		}
	}
	for name, g := range got {
		if _, there := want[name]; !there && !free[name] {
			complaints = append(complaints, fmt.Sprintf("%s is new: %s", name, g))
		}
	}
	slices.Sort(complaints)
	if n := len(complaints); n > 0 {
		t.Errorf("%d files differ, the first ones:\n%s", n, strings.Join(complaints[:min(n, 10)], "\n"))
	}
}

// withoutTime drops the third word of what describe says.
func withoutTime(s string) string {
	words := strings.SplitN(s, " ", 4)
	if len(words) < 3 {
		return s
	}
	return strings.Join(slices.Delete(words, 2, 3), " ")
}
