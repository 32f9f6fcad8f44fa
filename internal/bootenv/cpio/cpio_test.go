package cpio

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var when = time.Unix(1_700_000_000, 0)

func write(t testing.TB, headers []Header, contents ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := NewWriter(&b)
	for i, h := range headers {
		if err := w.Next(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(contents[i])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestWriter has GNU cpio unpack what was written.
func TestWriter(t *testing.T) {
	archive := write(t, []Header{
		{Name: "dir", Mode: fs.ModeDir | 0o755, Modified: when},
		{Name: "dir/odd", Mode: 0o640, Size: 5, Modified: when},
		{Name: "dir/empty", Mode: 0o600},
		{Name: "link", Mode: fs.ModeSymlink | 0o777, Size: 7},
		{Name: "null", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o666, Major: 1, Minor: 3},
	}, "", "hello", "", "dir/odd", "")
	if len(archive)%512 != 0 {
		t.Errorf("%d bytes are no whole blocks", len(archive))
	}
	dir := t.TempDir()
	cmd := exec.Command("cpio", "--extract", "--quiet", "--preserve-modification-time", "--no-absolute-filenames")
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(archive)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v: %s", err, out)
	}
	odd, err := os.Stat(filepath.Join(dir, "dir/odd"))
	if err != nil || odd.Mode() != 0o640 || !odd.ModTime().Equal(when) {
		t.Errorf("%v, %v", odd, err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "link")); string(b) != "hello" {
		t.Errorf("the link leads to %q", b)
	}
	if null, err := os.Stat(filepath.Join(dir, "null")); err != nil || null.Mode().Type() != fs.ModeDevice|fs.ModeCharDevice {
		t.Errorf("%v, %v", null, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, h := range []Header{
		{Name: "/etc/passwd"}, {Name: "../x"}, {Name: "a/../b"}, {Name: "."}, {Name: ""}, {Name: "a\x00b"}, {Name: "TRAILER!!!"},
		{Name: strings.Repeat("a", 4096)}, {Name: "big", Size: 1 << 32}, {Name: "neg", Size: -1},
		{Name: "pipe", Mode: fs.ModeNamedPipe}, {Name: "dir", Mode: fs.ModeDir, Size: 1},
		{Name: "old", Modified: time.Unix(-1, 0)},
	} {
		if err := NewWriter(&bytes.Buffer{}).Next(h); err == nil {
			t.Errorf("%+v was written", h)
		}
	}
	w := NewWriter(&bytes.Buffer{})
	if err := w.Next(Header{Name: "a", Size: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("abc")); err == nil {
		t.Error("a file got more than it has")
	}
	if w.Next(Header{Name: "b"}) == nil || w.Close() == nil {
		t.Error("a file that is not complete was left")
	}
}

// FuzzWriter has GNU cpio list archives of any names and contents.
func FuzzWriter(f *testing.F) {
	f.Add("a", "contents", uint32(0o644))
	f.Add("b/c", "", uint32(0o755))
	f.Fuzz(func(t *testing.T, name, content string, mode uint32) {
		h := Header{Name: name, Mode: fs.FileMode(mode).Perm(), Size: int64(len(content))}
		if strings.ContainsAny(name, "\n\\\"") || NewWriter(&bytes.Buffer{}).Next(h) != nil {
			return
		}
		cmd := exec.Command("cpio", "--list", "--quiet")
		cmd.Stdin = bytes.NewReader(write(t, []Header{h, {Name: "end"}}, content, ""))
		out, err := cmd.Output()
		if err != nil || !strings.HasSuffix(string(out), "end\n") {
			t.Errorf("%v: %q", err, out)
		}
	})
}
