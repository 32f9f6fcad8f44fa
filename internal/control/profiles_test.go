package control_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/control"
)

type entry struct {
	name, content string
	kind          byte
	link          string
}

func tarOf(t testing.TB, entries ...entry) *bytes.Buffer {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		err := w.WriteHeader(&tar.Header{Name: e.name, Typeflag: e.kind, Size: int64(len(e.content)), Mode: 0o4777, Linkname: e.link, Format: tar.FormatPAX})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

const profileText = "name: pc-{n}\nfiles:\n  - path: /etc/motd\n    source: files/motd\n"

func TestProfileFolders(t *testing.T) {
	s := newServer(t)
	good := tarOf(t, entry{name: "./", kind: tar.TypeDir}, entry{name: "./profile.yaml", content: profileText}, entry{name: "files/motd", content: "hello"})
	s.must(s.PutProfileFolder(t.Context(), operator(), "lab", good))
	p, err := s.Profile(t.Context(), operator(), "lab")
	s.must(err)
	if p.YAML != profileText || len(p.Files) != 1 || p.Files[0].Name != "files/motd" || len(p.Problems) > 0 {
		t.Errorf("%+v", p)
	}
	var first, second bytes.Buffer
	s.must(s.ProfileTar(t.Context(), "lab", &first))
	s.must(s.PutProfileFolder(t.Context(), operator(), "copy", bytes.NewReader(first.Bytes())))
	s.must(s.ProfileTar(t.Context(), "copy", &second))
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("a profile changes on its way")
	}
	if info, err := os.Stat(filepath.Join(s.folder, "lab", "files", "motd")); err != nil || info.Mode().Perm()&0o111 != 0 {
		t.Errorf("%v %v", info.Mode(), err)
	}
	s.must(s.PutProfile(t.Context(), operator(), "lab", []byte("name: other\n")))
	s.must(s.RemoveProfile(t.Context(), operator(), "lab"))
	var notFound *control.NotFoundError
	if _, err := s.Profile(t.Context(), viewer(), "lab"); !errors.As(err, &notFound) {
		t.Error(err)
	}
}

func TestBadProfiles(t *testing.T) {
	s := newServer(t)
	s.must(s.PutProfile(t.Context(), operator(), "lab", []byte("name: pc-{n}\n")))
	yaml := entry{name: "profile.yaml", content: "name: pc\n"}
	for name, folder := range map[string]*bytes.Buffer{
		"no profile":      tarOf(t, entry{name: "x", content: "x"}),
		"out":             tarOf(t, yaml, entry{name: "../x", content: "x"}),
		"out inside":      tarOf(t, yaml, entry{name: "a/../../x", content: "x"}),
		"absolute":        tarOf(t, yaml, entry{name: "/etc/x", content: "x"}),
		"link":            tarOf(t, yaml, entry{name: "x", kind: tar.TypeSymlink, link: "/etc/passwd"}),
		"hard link":       tarOf(t, yaml, entry{name: "x", kind: tar.TypeLink, link: "profile.yaml"}),
		"device":          tarOf(t, yaml, entry{name: "x", kind: tar.TypeChar}),
		"twice":           tarOf(t, yaml, yaml),
		"file and folder": tarOf(t, yaml, entry{name: "profile.yaml/x", content: "x"}),
		"backslash":       tarOf(t, yaml, entry{name: `..\x`, content: "x"}),
		"invalid":         tarOf(t, entry{name: "profile.yaml", content: "nmae: pc\n"}),
		"of the server":   tarOf(t, entry{name: "profile.yaml", content: "files:\n  - path: /x\n    source: /etc/shadow\n"}),
		"no tar":          bytes.NewBufferString(strings.Repeat("x", 2000)),
		"cut":             bytes.NewBuffer(tarOf(t, yaml, entry{name: "x", content: strings.Repeat("x", 5000)}).Bytes()[:3000]),
		"deep":            tarOf(t, yaml, entry{name: strings.Repeat("d/", 100) + "x"}),
	} {
		err := s.PutProfileFolder(t.Context(), operator(), "lab", folder)
		var invalid *control.InvalidError
		var broken *control.ProfileError
		if !errors.As(err, &invalid) && !errors.As(err, &broken) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), s.folder) {
			t.Errorf("%s: tells where profiles are kept: %v", name, err)
		}
	}
	for _, name := range []string{"", "..", "a/b", "Lab", ".new-x", strings.Repeat("a", 41), "a\x00"} {
		var invalid *control.InvalidError
		if err := s.PutProfile(t.Context(), operator(), name, []byte("name: pc\n")); !errors.As(err, &invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if p, err := s.Profile(t.Context(), operator(), "lab"); err != nil || p.YAML != "name: pc-{n}\n" {
		t.Errorf("the profile that was there: %+v %v", p, err)
	}
	entries, err := os.ReadDir(s.folder)
	s.must(err)
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	problems, err := s.CheckProfile(t.Context(), operator(), "", []byte("nmae: x\n"))
	if err != nil || len(problems) == 0 || problems[0].File != "profile.yaml" {
		t.Errorf("%+v %v", problems, err)
	}
}

func TestProfilesAfterAPowerCut(t *testing.T) {
	s := newServer(t)
	s.must(s.PutProfile(t.Context(), operator(), "lab", []byte("name: pc-{n}\n")))
	s.must(os.Rename(filepath.Join(s.folder, "lab"), filepath.Join(s.folder, ".old-lab")))
	s.must(os.Mkdir(filepath.Join(s.folder, ".new-half"), 0o700))
	s.start()
	profiles, err := s.Profiles(t.Context(), viewer())
	s.must(err)
	if len(profiles) != 1 || profiles[0].Name != "lab" {
		t.Errorf("%+v", profiles)
	}
	if _, err := os.Stat(filepath.Join(s.folder, ".new-half")); err == nil {
		t.Error("what was in the making is still there")
	}
}

func FuzzProfileTar(f *testing.F) {
	f.Add(tarOf(f, entry{name: "profile.yaml", content: "name: pc\n"}, entry{name: "a/b", content: "x"}).Bytes())
	f.Add(tarOf(f, entry{name: "../x", content: "x"}, entry{name: "l", kind: tar.TypeSymlink, link: "/"}).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		folder := t.TempDir()
		outside := filepath.Join(folder, "outside")
		if err := os.WriteFile(outside, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(folder, "in")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		_ = control.Unpack(t.Context(), dir, bytes.NewReader(data))
		entries, err := os.ReadDir(folder)
		if err != nil || len(entries) != 2 {
			t.Fatal(fmt.Sprint(entries), err)
		}
		_ = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || !d.IsDir() && !d.Type().IsRegular() {
				t.Fatal(path, err)
			}
			return nil
		})
	})
}
