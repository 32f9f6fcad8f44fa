package ntfs_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// mount mounts an image with ntfs-3g.
func mount(t testing.TB, path string) (dir string, unmount func()) {
	t.Helper()
	return volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach", path)
}

// digest is the digest of everything on a volume: names, modes, sizes, times,
// contents, named streams and access control lists. Of the files excepted the
// content is left out.
func digest(t testing.TB, path string, except ...string) string {
	t.Helper()
	dir, unmount := mount(t, path)
	defer unmount()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintln(h, strings.TrimPrefix(name, dir), info.Mode(), info.Size(), info.ModTime().UnixNano())
		if d.IsDir() || slices.Contains(except, d.Name()) && filepath.Dir(name) == dir {
			return nil
		}
		data, err := os.ReadFile(name)
		h.Write(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// getfattr lists what belongs to the inode in the order of the folder.
	streams := volumetest.Tool(t, "getfattr", "-R", "-h", "-d", "-e", "hex", "--absolute-names", dir)
	acls := volumetest.Tool(t, "getfattr", "-R", "-h", "-e", "hex", "-n", "system.ntfs_acl", "--absolute-names", dir)
	io.WriteString(h, strings.ReplaceAll(streams+acls, dir, ""))
	return fmt.Sprintf("%x", h.Sum(nil))
}

// write makes a file of n bytes that belong to its name.
func write(t testing.TB, dir, name string, n int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), content(name, n), 0o644); err != nil {
		t.Fatal(err)
	}
}

func content(name string, n int) []byte {
	sum := sha256.Sum256([]byte(name))
	return bytes.Repeat(sum[:], n/len(sum)+1)[:n]
}

func remove(t testing.TB, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// fragment leaves the free space of a mounted volume in n holes of one file of
// size bytes each, between files that stay.
func fragment(t testing.TB, dir string, n, size int) {
	t.Helper()
	for i := range 2 * n {
		write(t, dir, fmt.Sprintf("stone-%05d", i), size)
	}
	// What is left over in one piece goes to one file.
	rest, err := os.Create(filepath.Join(dir, "rest"))
	if err != nil {
		t.Fatal(err)
	}
	defer rest.Close()
	for p := make([]byte, mib); len(p) >= 512; {
		if _, err := rest.Write(p); err != nil {
			p = p[:len(p)/2]
		}
	}
	for i := range n {
		remove(t, dir, fmt.Sprintf("stone-%05d", 2*i))
	}
}
