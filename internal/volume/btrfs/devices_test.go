package btrfs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// twoDevices makes a file system of two loop devices and mounts it.
func twoDevices(t *testing.T, args ...string) (files, devices [2]string, dir string) {
	t.Helper()
	volumetest.Tool(t, "btrfs", "device", "scan", "--forget")
	for i, name := range []string{"a.img", "b.img"} {
		files[i] = filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(files[i], nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(files[i], 256<<20); err != nil {
			t.Fatal(err)
		}
		devices[i] = strings.TrimSpace(volumetest.Tool(t, "losetup", "-f", "--show", files[i]))
		t.Cleanup(func() { volumetest.Tool(t, "losetup", "-d", devices[i]) })
	}
	volumetest.Tool(t, "mkfs.btrfs", append(args, "-q", devices[0], devices[1])...)
	volumetest.Tool(t, "btrfs", "device", "scan", devices[0], devices[1])
	dir = t.TempDir()
	volumetest.Tool(t, "mount", devices[0], dir)
	return files, devices, dir
}

func TestSeveralDevices(t *testing.T) {
	files, _, dir := twoDevices(t, "-m", "raid1", "-d", "raid0")
	volumetest.Tool(t, "umount", dir)
	for _, file := range files {
		r := volumetest.Open(t, file)
		refusal := volumetest.Refused(t, New(), r, volume.Unsupported)
		if !strings.Contains(refusal.What, "1 of 2 devices of file system ") {
			t.Errorf("what: %s", refusal.What)
		}
	}
	volumetest.Keep(t, New(), volumetest.Open(t, files[1]), "refused-two-devices")
}

// TestDeviceRemoved has a file system whose only device is not number 1.
func TestDeviceRemoved(t *testing.T) {
	files, devices, dir := twoDevices(t, "-m", "single", "-d", "single")
	shell(t, dir, populate)
	volumetest.Tool(t, "btrfs", "device", "remove", devices[0], dir)
	digest := volumetest.Digest(t, dir)
	volumetest.Tool(t, "umount", dir)
	judge(t, files[1])
	volumetest.Keep(t, New(), volumetest.Open(t, files[1]), "device-2")
	restoredIs(t, files[1], digest)
}
