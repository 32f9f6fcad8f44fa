package mount

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

// volume makes a volume of a kind in a file, with an offset before it.
func volume(t *testing.T, kind string, offset int64) string {
	t.Helper()
	commands := map[string][]string{
		"ext4": {"mke2fs", "-q", "-t", "ext4"}, "ext2": {"mke2fs", "-q", "-t", "ext2"}, "xfs": {"mkfs.xfs", "-q"}, "btrfs": {"mkfs.btrfs", "-q"},
		"ntfs": {"mkntfs", "-q", "-F", "-f"}, "fat32": {"mkfs.fat", "-F", "32"}, "fat16": {"mkfs.fat", "-F", "16"}, "exfat": {"mkfs.exfat"},
	}
	sizes := map[string]int64{"xfs": 300 << 20, "btrfs": 120 << 20, "fat16": 20 << 20}
	size := sizes[kind]
	if size == 0 {
		size = 64 << 20
	}
	dir := t.TempDir()
	plain, path := filepath.Join(dir, "plain"), filepath.Join(dir, "disk")
	for _, f := range []string{plain, path} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Truncate(plain, size), os.Truncate(path, size+2*offset)); err != nil {
		t.Fatal(err)
	}
	run(t, append(commands[kind], plain)...)
	run(t, "dd", "if="+plain, "of="+path, "bs=1M", "conv=notrunc,sparse", "status=none", "seek="+itoa(offset>>20))
	return path
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

var kinds = []string{"ext2", "ext4", "xfs", "btrfs", "ntfs", "fat16", "fat32", "exfat"}

func TestVolume(t *testing.T) {
	const offset = 1 << 20
	for _, kind := range kinds {
		t.Run(kind, func(t *testing.T) {
			path := volume(t, kind, offset)
			info, _ := os.Stat(path)
			opts := Options{Offset: offset, Size: info.Size() - 2*offset}
			fill(t, path, kind, opts)
			opts.ReadOnly = true
			dir := t.TempDir()
			m, err := Volume(t.Context(), path, kind, dir, opts)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(filepath.Join(dir, "a folder", "ä [1].txt")); string(got) != "second" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "gone")); !os.IsNotExist(err) {
				t.Errorf("what was removed is still there: %v", err)
			}
			if err := m.Close(); err != nil {
				t.Fatal(err)
			}
			if names := listing(t, dir); len(names) > 0 {
				t.Errorf("the folder holds %v", names)
			}
			if err := m.Close(); err != nil {
				t.Errorf("second Close: %v", err)
			}
		})
	}
}

// fill writes files, and in a second mount changes and removes some.
func fill(t *testing.T, path, kind string, opts Options) {
	t.Helper()
	for round := range 2 {
		dir := t.TempDir()
		m, err := Volume(t.Context(), path, kind, dir, opts)
		if err != nil {
			t.Fatal(err)
		}
		text := []string{"first!", "second"}[round]
		if err := os.MkdirAll(filepath.Join(dir, "a folder", "empty"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "a folder", "ä [1].txt"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			err = os.MkdirAll(filepath.Join(dir, "gone", "with", "all"), 0o755)
			err = errors.Join(err, os.WriteFile(filepath.Join(dir, "gone", "with", "file"), []byte("x"), 0o644))
		} else {
			err = os.RemoveAll(filepath.Join(dir, "gone"))
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return slices.DeleteFunc(names, func(n string) bool { return n == "lost+found" })
}

func TestRefusals(t *testing.T) {
	var no *KindError
	if _, err := Volume(t.Context(), "/dev/null", "swap", t.TempDir(), Options{}); !errors.As(err, &no) {
		t.Errorf("swap: %v", err)
	}
	path := filepath.Join(t.TempDir(), "zeros")
	if err := os.WriteFile(path, make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, kind := range kinds {
		if m, err := Volume(t.Context(), path, kind, t.TempDir(), Options{}); err == nil {
			m.Close()
			t.Errorf("zeros were mounted as %s", kind)
		}
	}
	if out := run(t, "losetup", "-j", path); out != "" {
		t.Errorf("left behind: %s", out)
	}
}
