package host

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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

// sharedMemoryFile makes a sparse file of size bytes on a tmpfs.
func sharedMemoryFile(t testing.TB, size int64) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "ingot-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "disk.img")
	if err := create(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

// loopDisk makes a loop device of size bytes.
func loopDisk(t testing.TB, size int64, options ...string) (device string) {
	t.Helper()
	return attach(t, sharedMemoryFile(t, size), options...)
}

// partitionOf adds partition 1 to a loop device without a table on it.
func partitionOf(t testing.TB, disk string, start, size int64) (device string) {
	t.Helper()
	volumetest.Tool(t, "addpart", disk, "1", strconv.FormatInt(start/512, 10), strconv.FormatInt(size/512, 10))
	// It would outlive the loop device's file.
	t.Cleanup(func() { exec.Command("delpart", disk, "1").Run() })
	return PartitionPath(disk, 1)
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
