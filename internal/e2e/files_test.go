package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func mountKernel(t testing.TB, path string) (dir string, unmount func()) {
	return volumetest.Mount(t, path)
}

// mountXFS also mounts a copy of a volume that is mounted elsewhere.
func mountXFS(t testing.TB, path string) (dir string, unmount func()) {
	return volumetest.Mount(t, path, "nouuid")
}

// mountNTFS waits at unmounting until ntfs-3g has written everything and ended.
func mountNTFS(t testing.TB, path string) (dir string, unmount func()) {
	t.Helper()
	return volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach", path)
}

func mountExFAT(t testing.TB, path string) (dir string, unmount func()) {
	t.Helper()
	dev, detach := attach(t, path, 512)
	dir, end := volumetest.MountFUSE(t, "mount.exfat-fuse", "-d", dev)
	return dir, func() {
		end()
		detach()
	}
}

// onLoop calls do with a loop device of the given sector size over a file.
func onLoop(t testing.TB, path string, sector int, do func(dev string)) {
	t.Helper()
	dev, detach := attach(t, path, sector)
	defer detach()
	do(dev)
}

// attach makes a loop device until detach is called, at the latest until the
// test ends.
func attach(t testing.TB, path string, sector int) (dev string, detach func()) {
	t.Helper()
	dev = strings.TrimSpace(volumetest.Tool(t, "losetup", "--show", "-f", "-b", strconv.Itoa(sector), path))
	// Held open, the device stays ours even if somebody else detaches it by mistake.
	hold, err := os.Open(dev)
	must(t, err)
	detach = sync.OnceFunc(func() {
		hold.Close()
		exec.Command("losetup", "-d", dev).Run()
	})
	t.Cleanup(detach)
	return dev, detach
}

type mounter func(t testing.TB, path string) (dir string, unmount func())

// grow removes some of the files on a volume and adds others.
func grow(mount mounter, posix bool) func(*testing.T, string, *rand.Rand) {
	return func(t *testing.T, path string, rng *rand.Rand) {
		dir, unmount := mount(t, path)
		defer unmount()
		old, err := filepath.Glob(filepath.Join(dir, "folder*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range old {
			if rng.IntN(3) == 0 {
				if err := os.RemoveAll(name); err != nil {
					t.Fatal(err)
				}
			}
		}
		plant(t, dir, rng, posix)
	}
}

// plant makes a folder of random files; posix ones may be links, sparse or odd.
func plant(t *testing.T, dir string, rng *rand.Rand, posix bool) {
	t.Helper()
	folder := filepath.Join(dir, fmt.Sprintf("folder-%08x", rng.Uint32()))
	must(t, os.MkdirAll(filepath.Join(folder, "deep"), 0o755))
	for i := range 10 + rng.IntN(20) {
		name := filepath.Join(folder, []string{".", "deep"}[rng.IntN(2)], fmt.Sprintf("file-%d", i))
		switch {
		case posix && rng.IntN(6) == 0:
			must(t, os.Symlink(strings.Repeat("to/", rng.IntN(40))+"nowhere", name))
		case posix && rng.IntN(6) == 0:
			must(t, os.WriteFile(name, []byte("end"), 0o640))
			must(t, os.Truncate(name, rng.Int64N(8*mib)))
		default:
			must(t, os.WriteFile(name, random(rng, rng.IntN(1<<uint(rng.IntN(20)))), 0o644))
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
