package volumetest

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// MountFUSE runs a FUSE driver that stays in the foreground, with the mount point
// as its last argument. The function it returns unmounts and waits until the
// driver has written everything and ended; at the latest that happens when the
// test ends.
func MountFUSE(t testing.TB, driver string, args ...string) (dir string, unmount func()) {
	t.Helper()
	dir = t.TempDir()
	var output bytes.Buffer
	cmd := exec.Command(lookTool(t, driver), append(args, dir)...)
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

// umount tries again while the volume is busy: a process that another test is
// just starting has this one's files open until it runs its program.
func umount(t testing.TB, dir string) {
	t.Helper()
	for range 100 {
		if exec.Command("umount", dir).Run() == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	Tool(t, "umount", dir)
}

func isMounted(t testing.TB, dir string) bool {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(string(mounts), " "+dir+" ")
}
