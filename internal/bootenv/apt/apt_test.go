package apt

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/bootenv/deb"
)

// archive makes an archive of one package in a folder, and returns its sources.list.
func archive(t *testing.T) (dir, sources string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil { // apt reads as a user of its own
		t.Fatal(err)
	}
	control := filepath.Join(t.TempDir(), "root/DEBIAN/control")
	write(t, control, "Package: sample\nVersion: 1:2.0\nArchitecture: all\nMaintainer: nobody <n@example.org>\nDepends: liba\nDescription: x\n")
	file := filepath.Join(dir, "sample.deb")
	if out, err := exec.Command("dpkg-deb", "--root-owner-group", "--build", filepath.Dir(filepath.Dir(control)), file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "Packages"), fmt.Sprintf(
		"Package: sample\nVersion: 1:2.0\nArchitecture: all\nDepends: liba\nFilename: ./sample.deb\nSize: %d\nSHA256: %x\n", len(b), sha256.Sum256(b)))
	return dir, "Types: deb\nURIs: file:" + dir + "\nSuites: ./\nTrusted: yes\n"
}

func write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestArchive(t *testing.T) {
	dir, sources := archive(t)
	a, err := Open(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.Trouble() != nil {
		t.Fatal(a.Trouble())
	}
	found, err := a.Find(t.Context(), []string{"sample", "no-such-package"})
	if err != nil || len(found) != 1 || found["sample"].Version != "1:2.0" || len(found["sample"].Depends) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	if none, err := a.Find(t.Context(), []string{"no-such-package"}); err != nil || len(none) != 0 {
		t.Errorf("%+v, %v", none, err)
	}
	into := t.TempDir()
	if err := a.Fetch(t.Context(), []deb.Info{found["sample"]}, into); err != nil {
		t.Fatal(err)
	}
	if info, err := deb.ReadInfo(filepath.Join(into, "sample_1%3a2.0_all.deb")); err != nil || info.Name != "sample" {
		t.Errorf("%+v, %v", info, err)
	}
	write(t, filepath.Join(dir, "sample.deb"), "something else")
	again, err := Open(t.Context(), sources)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	other := t.TempDir()
	if err := again.Fetch(t.Context(), []deb.Info{found["sample"]}, other); err == nil {
		t.Error("a package that is not the one in the list was taken")
	}
	if left, _ := os.ReadDir(other); len(left) > 0 {
		t.Errorf("%v was left", left)
	}
}

// TestTake checks the sum that apt has checked before.
func TestTake(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	write(t, from, "content")
	if err := take(from, to, deb.Info{SHA256: strings.Repeat("0", 64)}); err == nil || !strings.Contains(err.Error(), "the archive's list says") {
		t.Errorf("%v", err)
	}
	if err := take(from, to, deb.Info{SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte("content")))}); err != nil {
		t.Error(err)
	}
}

func TestTrouble(t *testing.T) {
	a, err := Open(t.Context(), "Types: deb\nURIs: file:"+t.TempDir()+"/none\nSuites: ./\nTrusted: yes\n")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	if a.Trouble() == nil {
		t.Error("an archive that is not there gave no trouble")
	}
}
