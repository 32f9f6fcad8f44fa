package browse

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestPrintable(t *testing.T) {
	for name, want := range map[string]string{
		"plain äöü 日本": "plain äöü 日本", "a\nb\x1b[31m": `a\x0ab\x1b[31m`, "bytes\xff\xc3": `bytes\xff\xc3`,
		"left\u202eright": `left\u202eright`, "\u00a0": `\u00a0`, "\U000e0041": `\U000e0041`, "\ufffd": `\ufffd`, `back\slash`: `back\slash`, "": "",
	} {
		if got := Printable(name); got != want {
			t.Errorf("%q is shown as %q, want %q", name, got, want)
		}
	}
}

// memory is a volume: names to targets of links, "/" for directories, else bytes.
type memory map[string]string

func (m memory) lstat(name string) (Entry, error) {
	text, ok := m[name]
	e := Entry{Name: base(name), Size: int64(len(text))}
	switch {
	case name == "" || text == "/":
		e.Mode = fs.ModeDir | 0o755
	case !ok:
		return e, &fs.PathError{Op: "find", Path: name, Err: fs.ErrNotExist}
	case strings.HasPrefix(text, "-> "):
		e.Mode, e.Target = fs.ModeSymlink|0o777, text[3:]
	}
	return e, nil
}

func (m memory) readDir(name string) (all []Entry, err error) {
	for n := range m {
		if dir := strings.TrimPrefix(path.Dir("/"+n), "/"); n != "" && dir == name {
			e, _ := m.lstat(n)
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

func (m memory) open(string) (File, error)                      { return nil, fs.ErrInvalid }
func (m memory) below(context.Context, string) (*branch, error) { return nil, fs.ErrInvalid }
func (m memory) close() error                                   { return nil }

func testTree() *Tree {
	root := memory{
		"etc": "/", "etc/passwd": "root", "boot": "/", "boot/hidden": "x", "vmlinuz": "-> boot/vmlinuz", "up": "-> ../../../etc/passwd",
		"abs": "-> /etc", "loop": "-> loop", "a": "-> b", "b": "-> a", "chain": "-> abs/../up", "slash": "-> /", "empty": "-> .",
	}
	boot := memory{"top": "/", "top/vmlinuz": "kernel", "top/efi": "/", "top/out": "-> ../../etc/passwd", "secret": "not shown"}
	esp := memory{"EFI": "/", "EFI/Boot": "/", "EFI/Boot/BOOTX64.EFI": "loader"}
	return &Tree{points: []point{
		{partition: 3, kind: "ext4", files: root},
		{at: "boot", partition: 2, kind: "ext4", open: func() (volume, string, error) { return boot, "top", nil }},
		{at: "boot/efi", partition: 1, kind: "fat32", open: func() (volume, string, error) { return esp, "", nil }},
	}}
}

func TestResolve(t *testing.T) {
	for name, want := range map[string]string{
		"": "", "/": "", "//etc/./passwd": "etc/passwd", "etc/": "etc", "/vmlinuz": "boot/vmlinuz", "up": "etc/passwd", "abs/passwd": "etc/passwd",
		"chain": "etc/passwd", "boot/out": "etc/passwd", "boot/../etc": "etc", "../../..": "", "boot/efi/../vmlinuz": "boot/vmlinuz",
		"boot/efi/efi/BOOT/bootx64.efi": "boot/efi/EFI/Boot/BOOTX64.EFI", "slash/slash/etc": "etc", "empty/etc": "etc", "boot/../boot/out": "etc/passwd",
	} {
		if got, err := testTree().Resolve(name, true); got != want || err != nil {
			t.Errorf("%q leads to %q, %v; want %q", name, got, err, want)
		}
	}
	for name, want := range map[string]error{
		"loop": syscall.ELOOP, "a/x": syscall.ELOOP, "etc/passwd/x": syscall.ENOTDIR, "etc/passwd/..": syscall.ENOTDIR, "ETC": fs.ErrNotExist,
		"boot/hidden": fs.ErrNotExist, "boot/../secret": fs.ErrNotExist, "none/../etc": fs.ErrNotExist, "boot/secret": fs.ErrNotExist,
	} {
		if got, err := testTree().Resolve(name, true); !errors.Is(err, want) {
			t.Errorf("%q leads to %q, %v; want %v", name, got, err, want)
		}
	}
	if got, err := testTree().Resolve("up", false); got != "up" || err != nil {
		t.Errorf("the link itself: %q, %v", got, err)
	}
	if got, err := testTree().Resolve("abs/", false); got != "etc" || err != nil {
		t.Errorf("with a slash behind it: %q, %v", got, err)
	}
}

func TestReadDir(t *testing.T) {
	entries, err := testTree().ReadDir("boot")
	var names []string
	for _, e := range entries {
		names = append(names, e.Name)
	}
	if err != nil || !slices.Equal(names, []string{"efi", "out", "vmlinuz"}) {
		t.Errorf("%q, %v", names, err)
	}
	if e, err := testTree().Lstat("boot/efi"); e.Name != "efi" || !e.IsDir() || err != nil {
		t.Errorf("%+v, %v", e, err)
	}
}
