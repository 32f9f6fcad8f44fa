package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// hostile makes a tree whose links all try to get out, beside a file that must
// stay as it is.
func hostile(t *testing.T) (r *Root, dir, victim string) {
	t.Helper()
	top := t.TempDir()
	dir, victim = filepath.Join(top, "image"), filepath.Join(top, "victim")
	for _, d := range []string{"image/etc", "image/deep/er", "outside"} {
		if err := os.MkdirAll(filepath.Join(top, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(t, victim, "untouched")
	write(t, filepath.Join(dir, "etc/real"), "inside")
	for name, target := range map[string]string{
		"up":             "../victim",
		"absolute":       victim,
		"far":            "../../../../../../../../.." + victim,
		"dir":            "../outside",
		"absdir":         filepath.Join(top, "outside"),
		"loop":           "loop",
		"chain":          "chain2",
		"chain2":         "/up",
		"proc":           "/proc/self/root",
		"good":           "/etc/real",
		"deep/er/back":   "../../etc/real",
		"shortcut":       "deep/er",
		"etc/hostname":   victim,
		"deep/er/parent": "..",
	} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.Close()
		if got, _ := os.ReadFile(victim); string(got) != "untouched" {
			t.Errorf("the file outside holds %q", got)
		}
		if entries, _ := os.ReadDir(filepath.Join(top, "outside")); len(entries) > 0 {
			t.Errorf("the folder outside holds %v", entries)
		}
		if entries, _ := os.ReadDir(top); len(entries) != 3 {
			t.Errorf("beside the image are %v", entries)
		}
	})
	return r, dir, victim
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestNothingLeadsOut(t *testing.T) {
	r, _, _ := hostile(t)
	for _, name := range []string{
		"up", "absolute", "far", "chain", "dir/x", "absdir/x", "../victim", "/../../victim", "etc/../../victim", "proc/etc/passwd",
		"deep/er/parent/../../victim", "shortcut/../../../victim", "etc/hostname",
	} {
		if data, _ := r.ReadFile(name, 1<<20); string(data) == "untouched" {
			t.Errorf("%s led out", name)
		}
		_ = r.WriteFile(name, []byte("evil"), Attr{})
		_ = r.Mkdir(name+"/new/folder", Attr{})
		_ = r.Remove(name)
		_ = r.Symlink("/x", name)
		_ = r.Chmod(name, 0)
		_ = r.Chown(name, 12, 12)
		if f, err := r.Create(name+"2", Attr{Mode: 0o600}); err == nil {
			f.Close()
		}
	}
}

func TestLinksInside(t *testing.T) {
	for _, name := range []string{"good", "/good", "deep/er/back", "shortcut/back", "shortcut/parent/er/back"} {
		r, dir, _ := hostile(t)
		if got, err := r.ReadFile(name, 100); err != nil || string(got) != "inside" {
			t.Errorf("read %s: %q, %v", name, got, err)
		}
		if err := r.WriteFile(name, []byte("changed"), Attr{}); err != nil {
			t.Errorf("write %s: %v", name, err)
		}
		if got, _ := os.ReadFile(filepath.Join(dir, "etc/real")); string(got) != "changed" {
			t.Errorf("writing %s left %q", name, got)
		}
	}
	r, _, _ := hostile(t)
	if _, err := r.ReadFile("loop", 100); !errors.Is(err, unix.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
	if err := r.WriteFile("loop", nil, Attr{}); !errors.Is(err, unix.ELOOP) {
		t.Errorf("write a link to itself: %v", err)
	}
}

func TestOnlyRegularFiles(t *testing.T) {
	r, dir, _ := hostile(t)
	if err := unix.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fifo", "etc", "/"} {
		if _, err := r.ReadFile(name, 100); err == nil {
			t.Errorf("%s was read", name)
		}
		if err := r.WriteFile(name, nil, Attr{}); err == nil {
			t.Errorf("%s was written", name)
		}
	}
	write(t, filepath.Join(dir, "big"), "0123456789")
	if _, err := r.ReadFile("big", 9); err == nil {
		t.Error("more than the limit was read")
	}
}

func TestWriteKeeps(t *testing.T) {
	r, dir, _ := hostile(t)
	name := filepath.Join(dir, "etc/real")
	if err := os.Chown(name, 7, 8); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(name, 0o4750|fs.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setxattr(name, "user.kept", []byte("x"), 0); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteFile("etc/real", []byte("new"), Attr{}); err != nil {
		t.Fatal(err)
	}
	info, err := r.Lstat("etc/real")
	if err != nil || ownerOf(info) != (Owner{7, 8}) || info.Mode() != 0o750|fs.ModeSetuid {
		t.Errorf("it is %v of %v now, %v", info.Mode(), ownerOf(info), err)
	}
	if n, err := unix.Getxattr(name, "user.kept", make([]byte, 10)); n != 1 {
		t.Errorf("its attribute is gone: %v", err)
	}
	if err := r.SetXattr("good", "user.kept", []byte("yz")); err != nil {
		t.Error(err)
	}
	if got, err := r.Xattr("etc/real", "user.kept"); string(got) != "yz" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := r.Xattr("etc", "user.none"); !errors.Is(err, unix.ENODATA) {
		t.Errorf("%v", err)
	}
	if err := r.WriteFile("etc/real", nil, Attr{Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if info, _ := r.Lstat("etc/real"); info.Mode() != 0o600 || ownerOf(info) != (Owner{}) {
		t.Errorf("an explicit mode gave %v of %v", info.Mode(), ownerOf(info))
	}
}

func TestFold(t *testing.T) {
	r, dir, _ := hostile(t)
	if err := os.MkdirAll(filepath.Join(dir, "WINDOWS/System32/Config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if got, err := r.Fold("Windows/system32/config"); got != "/WINDOWS/System32/Config" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := r.Fold("Windows/nothing"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

// TestReadDir lists a directory whose file system does not say what its names
// are, and which this machine has as well, with other things in it.
func TestReadDir(t *testing.T) {
	r, dir, _ := hostile(t)
	write(t, filepath.Join(dir, "deep/file"), "x")
	entries, err := r.ReadDir("/deep")
	if err != nil || len(entries) != 2 {
		t.Fatalf("%v, %v", entries, err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Type() != e.Type() || e.IsDir() != (e.Name() == "er") {
			t.Errorf("%s: %v, %v", e.Name(), info, err)
		}
		if _, ok := info.Sys().(*syscall.Stat_t); !ok {
			t.Errorf("%s: Sys is %T", e.Name(), info.Sys())
		}
	}
}
