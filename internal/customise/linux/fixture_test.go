package linux

import (
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// tree is a small system: names and texts. "link:x" is a link to x, "dir:" a
// folder; names with a mode behind a blank get that mode.
type tree map[string]string

func (tr tree) with(more tree) tree {
	all := tree{}
	for _, t := range []tree{tr, more} {
		for name, text := range t {
			all[name] = text
		}
	}
	return all
}

// build writes the tree into a new folder.
func (tr tree) build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for spec, text := range tr {
		name, modeText, hasMode := strings.Cut(spec, " ")
		at := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(at), 0o755))
		if target, ok := strings.CutPrefix(text, "link:"); ok {
			must(t, os.Symlink(target, at))
			continue
		}
		if text == "dir:" {
			must(t, os.MkdirAll(at, 0o755))
			continue
		}
		must(t, os.WriteFile(at, []byte(text), 0o644))
		if hasMode {
			var mode uint32
			_, err := fmt.Sscanf(modeText, "%o", &mode)
			must(t, err)
			must(t, os.Chmod(at, fs.FileMode(mode)))
		}
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, dir string) *rootfs.Root {
	t.Helper()
	root, err := rootfs.Open(dir)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root
}

// jobFor is a job with everything as the profile's defaults have it.
func jobFor(s profile.Settings) customise.Job {
	return customise.Job{Settings: &s, Rand: rand.Reader, Started: "lab:1 by ingot test"}
}

// digest is what every file of a folder is.
func digest(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		text := fmt.Sprintf("%v %d:%d ", info.Mode(), st.Uid, st.Gid)
		switch d.Type() {
		case 0:
			if info.Size() > 256<<10 { // of a real system, programs mostly
				text += fmt.Sprint(info.Size(), info.ModTime().UnixNano())
				break
			}
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			text += fmt.Sprintf("%x", sha256.Sum256(data))
		case fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			text += target
		}
		all["/"+strings.TrimPrefix(strings.TrimPrefix(name, dir), "/")] = text
		return nil
	}))
	return all
}

// differing are the names that two digests do not agree on.
func differing(a, b map[string]string) []string {
	var names []string
	for name := range a {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	for name := range b {
		if _, ok := a[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// apply applies a job and demands that exactly what the report lists has changed,
// and that the preview said so.
func apply(t *testing.T, dir string, job customise.Job) *customise.Report {
	t.Helper()
	before := digest(t, dir)
	root := open(t, dir)
	seen, err := Preview(t.Context(), root, job)
	must(t, err)
	if changed := differing(before, digest(t, dir)); len(changed) > 0 {
		t.Fatalf("the preview changed %v", changed)
	}
	report, err := Apply(t.Context(), root, job)
	must(t, err)
	if !slices.Equal(seen.Changed, report.Changed) || !slices.Equal(seen.Notes, report.Notes) {
		t.Errorf("the preview said\n%v %q,\nthe report\n%v %q", seen.Changed, seen.Notes, report.Changed, report.Notes)
	}
	if changed := differing(before, digest(t, dir)); !slices.Equal(changed, report.Changed) {
		t.Errorf("these differ:\n%v\nthe report lists\n%v", strings.Join(changed, "\n"), strings.Join(report.Changed, "\n"))
	}
	return report
}

// refused demands an error that holds a text, and an untouched system.
func refused(t *testing.T, dir string, job customise.Job, want string) {
	t.Helper()
	before := digest(t, dir)
	_, err := Apply(t.Context(), open(t, dir), job)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("the error is %v, want one with %q", err, want)
	}
	if changed := differing(before, digest(t, dir)); len(changed) > 0 {
		t.Errorf("a refusal changed %v", changed)
	}
}

func read(t *testing.T, dir, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, name))
	must(t, err)
	return string(text)
}
