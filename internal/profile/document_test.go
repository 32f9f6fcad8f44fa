package profile_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// update reports whether golden files are to be made anew.
func update() bool { return os.Getenv("INGOT_UPDATE") != "" }

// golden holds got against a file, or makes it.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if update() {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			t.Fatalf("%s, line %d:\n got %s\nwant %s\nINGOT_UPDATE=1 makes it anew", path, i+1, g[i], w[i])
		}
	}
	t.Fatalf("%s has %d lines, got %d; INGOT_UPDATE=1 makes it anew", path, len(w), len(g))
}

// TestBad holds what is said about every bad profile against testdata/bad.golden,
// which is the page to read when a message changes.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d bad profiles, %v", len(files), err)
	}
	var b strings.Builder
	kinds := map[string]bool{}
	for _, file := range files {
		doc, err := profile.Load(file)
		var wrong *profile.Error
		if !errors.As(err, &wrong) || doc != nil {
			t.Errorf("%s: no mistake was found: %v", file, err)
			continue
		}
		fmt.Fprintf(&b, "== %s\n", filepath.Base(file))
		for _, p := range wrong.Problems {
			if p.Line == 0 && !strings.HasSuffix(file, "empty.yaml") {
				t.Errorf("%v has no place", p)
			}
			p.File = filepath.Base(p.File)
			kinds[p.Message] = true
			fmt.Fprintln(&b, strings.ReplaceAll(p.String(), workingDir(t), "WORK"))
		}
	}
	if strings.Contains(strings.ToLower(b.String()), "hunter") {
		t.Error("a message holds a secret")
	}
	if len(kinds) < 100 {
		t.Errorf("only %d different messages", len(kinds))
	}
	golden(t, "testdata/bad.golden", b.String())
}

func workingDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLoad: what is no mistake in a profile is another error.
func TestLoad(t *testing.T) {
	if _, err := profile.Load("testdata/nowhere.yaml"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a profile that is not there: %v", err)
	}
	large := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(large, []byte("name: lab\n#"+strings.Repeat("x", profile.MaxSize)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := profile.Load(large); err == nil || !strings.Contains(err.Error(), "is larger than") {
		t.Errorf("a profile that is too large: %v", err)
	}
}

// TestParseBytes: bytes that an editor would not write.
func TestParseBytes(t *testing.T) {
	for _, test := range []struct{ data, want string }{
		{"\xef\xbb\xbfname: lab\n", ""},
		{"name: lab\r\ntimezone: Europe/Berlin\r\n", ""},
		{"{}", ""},
		{"{}\n---\n", "p:2:1: a second document"},
		{"name: lab\nlocale: \"\xff\"\n", "p:2:10: is not UTF-8"},
		{"\xff\xfen\x00a\x00", "p:1:1: is not UTF-8"},
		{"name: \x01\n", "p:1:1: is not YAML: control characters are not allowed"},
		{strings.Repeat("[", 20000), "exceeded max depth"},
		{"values: {\"a\\nb\\e[2J\": c}", `values.a\nb\x1b[2J: bad key`},
		{"users:\n" + strings.Repeat("- {}\n", 200_000), "p:2:1: users: has more than 1000 entries"},
		{"values:\n" + strings.Repeat("  a: b\n", 100_000), "p:2:3: values: has more than 1000 keys"},
		{"a: " + strings.Repeat("{a: ", 500), "p:"},
		{"files:\n  - path: /a\n    content: " + strings.Repeat("[", 200) + strings.Repeat("]", 200), "files[0].content: want text, not a list"},
	} {
		_, err := profile.Parse("p", []byte(test.data), "")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%.40q: %v, want %s", test.data, err, test.want)
		}
	}
}

// TestSource: links beside the profile lead nowhere else, and nothing is waited for.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	for _, err := range []error{
		os.WriteFile(filepath.Join(dir, "real"), []byte("x"), 0o600),
		os.Symlink("/etc/passwd", filepath.Join(dir, "out")),
		os.Symlink("../..", filepath.Join(dir, "up")),
		os.Symlink("real", filepath.Join(dir, "in")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for source, want := range map[string]string{
		"real": "", "in": "", "./real": "", filepath.Join(dir, "real"): "", filepath.Join(dir, "out"): "",
		"out": "by a link", "up/etc/passwd": "by a link", "..": "leads out of the folder", "real/x": "not a directory",
	} {
		data := fmt.Sprintf("files: [{path: /x, source: %q}]", source)
		doc, err := profile.Parse("p", []byte(data), dir)
		if want != "" {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("source %s: %v, want %s", source, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("source %s: %v", source, err)
			continue
		}
		s, err := doc.Settings(profile.Facts{}, profile.OSLinux, profile.Overrides{})
		if err != nil || !filepath.IsAbs(s.Files[0].Source) {
			t.Errorf("source %s: %v, %v", source, s, err)
		}
	}
	if _, err := profile.Parse("p", []byte("files: [{path: /x, source: real}]"), ""); err == nil || !strings.Contains(err.Error(), "has no folder") {
		t.Errorf("a profile without a folder: %v", err)
	}
}
