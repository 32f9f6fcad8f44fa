package netboot

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/netboot/loader"
)

// rebuild puts another boot environment in the place of a server's, as 'ingot bootenv
// build' does.
func rebuild(t *testing.T, s *Server, what string, names ...string) {
	t.Helper()
	out := s.config.Files
	next, err := os.MkdirTemp(filepath.Dir(out), "next")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		err = errors.Join(err, os.WriteFile(filepath.Join(next, name), []byte(name+" of "+what), 0o644))
	}
	err = errors.Join(err, os.Rename(out, next+".old"))
	if _, err := open(t, s, "vmlinuz", thief); err != nil { // there is no folder now
		t.Error(err)
	}
	if err = errors.Join(err, os.Rename(next, out), os.RemoveAll(next+".old")); err != nil {
		t.Fatal(err)
	}
}

// TestRebuild: a build is used from the next boot on; a boot that goes on gets a
// kernel and an initrd that belong together.
func TestRebuild(t *testing.T) {
	s := quiet(t, &control{choice: Choice{Agent: true, Why: "A job waits."}, secret: []byte("cpio")})
	want := func(name, want string) {
		t.Helper()
		if got, err := open(t, s, name, peer); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	start := func() {
		t.Helper()
		if b := s.boots.of[peer]; b != nil {
			b.made = b.made.Add(-2 * sameBoot)
		}
		if _, err := open(t, s, loader.GRUB.Second(mac), peer); err != nil {
			t.Fatal(err)
		}
	}
	start()
	want("vmlinuz", "kernel")
	half, err := s.files.Open(t.Context(), "initrd.img", peer)
	if err != nil {
		t.Fatal(err)
	}
	rebuild(t, s, "two", "vmlinuz", "initrd.img", "grubx64.efi")
	want("initrd.img", "initrd")
	want("grubx64.efi", "grubx64.efi of two")
	if s.files.has("shimx64.efi") {
		t.Error("the old shim is there still")
	}
	if got, err := open(t, s, "initrd.img", thief); err != nil || got != "initrd.img of two" {
		t.Errorf("a PC that was told nothing: %q, %v", got, err)
	}
	start()
	want("vmlinuz", "vmlinuz of two")
	want("initrd.img", "initrd.img of two")

	// A boot that takes for ever gets what there is.
	rebuild(t, s, "three", "vmlinuz", "initrd.img", "shimx64.efi")
	s.boots.of[peer].made = time.Now().Add(-2 * bootTime)
	want("initrd.img", "initrd.img of three")

	// Half a folder is none.
	start()
	rebuild(t, s, "four", "vmlinuz")
	want("vmlinuz", "vmlinuz of three")
	start()
	want("initrd.img", "initrd.img of three")
	if err := os.WriteFile(filepath.Join(s.config.Files, "initrd.img"), []byte("the other half"), 0o644); err != nil {
		t.Fatal(err)
	}
	start()
	want("vmlinuz", "vmlinuz of four")

	if b, err := io.ReadAll(io.NewSectionReader(half, 0, half.Size())); err != nil || string(b) != "initrd" {
		t.Errorf("a file that was opened before: %q, %v", b, err)
	}
	half.Close()
}

// TestBuildsEnd: files of builds that nobody can start any more are closed.
func TestBuildsEnd(t *testing.T) {
	s := quiet(t, &control{})
	first := s.files.builds.current()
	f, err := first.stored("vmlinuz")
	if err != nil {
		t.Fatal(err)
	}
	rebuild(t, s, "two", "vmlinuz", "initrd.img", "shimx64.efi")
	if s.files.builds.current() == first {
		t.Fatal("the new build is not used")
	}
	first.release() // as after keepBuild
	if _, err := f.ReadAt(make([]byte, 1), 0); err != nil {
		t.Errorf("closed while it is read: %v", err)
	}
	f.Close()
	f.Close()
	if _, err := f.ReadAt(make([]byte, 1), 0); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("it stays open: %v", err)
	}
	if got, err := s.files.builds.find("vmlinuz", first); err != nil || got.size != int64(len("vmlinuz of two")) {
		t.Errorf("a boot of a build that is gone: %v", err)
	}
}
