package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
	return mountFUSE(t, "ntfs-3g", "-o", "no_detach", path)
}

func mountExFAT(t testing.TB, path string) (dir string, unmount func()) {
	t.Helper()
	dev, detach := attach(t, path, 512)
	dir, end := mountFUSE(t, "mount.exfat-fuse", "-d", dev)
	return dir, func() {
		end()
		detach()
	}
}

// mountFUSE starts a driver that stays in the foreground.
func mountFUSE(t testing.TB, driver string, args ...string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	var output bytes.Buffer
	cmd := exec.Command(driver, append(args, dir)...)
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for !isMounted(t, dir) {
		select {
		case err := <-ended:
			t.Fatalf("%s: %v\n%s", driver, err, output.String())
		case <-time.After(5 * time.Millisecond):
		}
	}
	mounted := true
	unmount = func() {
		if !mounted {
			return
		}
		mounted = false
		umount(t, dir)
		if err := <-ended; err != nil {
			t.Errorf("%s: %v\n%s", driver, err, output.String())
		}
	}
	t.Cleanup(unmount)
	return dir, unmount
}

// umount tries again while a process that is just being started elsewhere has
// this one's files open.
func umount(t testing.TB, dir string) {
	t.Helper()
	for range 100 {
		if exec.Command("umount", dir).Run() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	volumetest.Tool(t, "umount", dir)
}

func isMounted(t testing.TB, dir string) bool {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(mounts), " "+dir+" ")
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
