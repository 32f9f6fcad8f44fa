package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// The tests run as root and make their own loop devices: nothing else shows
// what the kernel really does.

// imageFile makes a sparse file of size bytes on a real file system.
func imageFile(t testing.TB, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// attach makes a loop device of a file and detaches it when the test ends.
func attach(t testing.TB, file string, options ...string) (device string) {
	t.Helper()
	args := append([]string{"--find", "--show"}, options...)
	device = strings.TrimSpace(volumetest.Tool(t, "losetup", append(args, file)...))
	t.Cleanup(func() { exec.Command("losetup", "--detach", device).Run() })
	return device
}

// loopDisk makes a loop device of size bytes.
func loopDisk(t testing.TB, size int64, options ...string) (device string) {
	t.Helper()
	return attach(t, imageFile(t, size), options...)
}

func openTestTarget(t testing.TB, path string, opts TargetOptions) *Target {
	t.Helper()
	target, err := OpenTarget(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func openTestSource(t testing.TB, path string) *Source {
	t.Helper()
	source, err := OpenSource(path, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { source.Close() })
	return source
}
