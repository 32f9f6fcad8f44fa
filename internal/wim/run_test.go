package wim_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/wim"
)

func run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
	return string(out)
}

// TestThereAndBack: a directory becomes a WIM, that an NTFS volume, and that a WIM.
// cmd/ingot's wim.txtar has what only NTFS keeps.
func TestThereAndBack(t *testing.T) {
	dir := t.TempDir()
	tree := filepath.Join(dir, "tree")
	if err := os.MkdirAll(filepath.Join(tree, "-a folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"-a folder/file": "text", "b": strings.Repeat("b", 1<<20)} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	first, second, volume := "-first.wim", "second.wim", "-volume"
	ctx := t.Context()
	last := 0
	opts := wim.CaptureOptions{Name: "-x=\"y\" <z>", Description: "%s ä", Compression: wim.Fast, UnixData: true}
	if err := wim.Capture(ctx, tree, first, opts, func(n int) { last = n }); err != nil {
		t.Fatal(err)
	}
	images, err := wim.List(ctx, first)
	if err != nil || len(images) != 1 || images[0].Name != opts.Name || images[0].Description != opts.Description || images[0].Files != 2 || last != 100 {
		t.Fatalf("%+v after %d %%, %v", images, last, err)
	}
	src := wim.Source{File: first, Index: 1}
	if unix, err := src.HasUnixData(ctx); !unix || err != nil {
		t.Errorf("UNIX data: %v, %v", unix, err)
	}
	if err := os.WriteFile(volume, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(volume, images[0].Size().Volume); err != nil {
		t.Fatal(err)
	}
	run(t, "mkntfs", "-q", "-F", "-f", filepath.Join(dir, volume))
	if err := src.Apply(ctx, volume, false, nil); err != nil {
		t.Fatal(err)
	}
	if err := wim.Capture(ctx, volume, second, wim.CaptureOptions{Name: "two", Compression: wim.None}, nil); err != nil {
		t.Fatal(err)
	}
	if err := wim.SetWindows(ctx, second, wim.Image{Index: 1, Windows: wim.Windows{Edition: "Pro=\"N\"", Product: "-Windows <11>"}}); err != nil {
		t.Fatal(err)
	}
	if err := wim.Verify(ctx, second, nil); err != nil {
		t.Error(err)
	}
	images, err = wim.List(ctx, second)
	if err != nil || images[0].Flags != `Pro="N"` || images[0].DisplayName != "-Windows <11>" || images[0].Bytes < 1<<20 {
		t.Errorf("%+v, %v", images, err)
	}
	if unix, err := (wim.Source{File: second, Index: 1}).HasUnixData(ctx); unix || err != nil {
		t.Errorf("UNIX data of a volume: %v, %v", unix, err)
	}
	run(t, "wimlib-imagex", "extract", second, "1", "/-a folder/file", "--no-acls")
	if got, err := os.ReadFile("file"); string(got) != "text" {
		t.Errorf("%q, %v", got, err)
	}
	damage(t, second)
	if err := wim.Verify(ctx, second, nil); err == nil {
		t.Error("a damaged WIM was verified")
	}
}

// damage changes a byte of the largest file's data.
func damage(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[strings.Index(string(data), "bbbbbbbb")] = 'c'
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestList(t *testing.T) {
	file := filepath.Join(t.TempDir(), "no.wim")
	for text, want := range map[string]string{"short": " is no WIM file, or its end is missing", strings.Repeat("long", 1000): " is no WIM file"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := wim.List(t.Context(), file); err == nil || err.Error() != file+want {
			t.Errorf("%v", err)
		}
	}
}
