package view

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/mount"
)

const killed = "INGOT_TEST_KILLED"

// TestKilled kills a process while it waits for a mount of one of its own files,
// and demands that nothing of it is left.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killed); dir != "" {
		waitForOurselves(t, dir)
	}
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killed+"="+dir)
	cmd.SysProcAttr = &unix.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatalf("it ended: %v", err)
	}
	time.Sleep(300 * time.Millisecond)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the process is killed and does not end")
	}
	time.Sleep(200 * time.Millisecond)
	if loops, _ := exec.Command("losetup", "-l", "-n", "-O", "BACK-FILE").Output(); strings.Contains(string(loops), "killed-volume") {
		t.Errorf("loop devices are left: %s", loops)
	}
}

// stuck is a volume that does not answer when it is read behind its first MiB.
type stuck struct{ *blocktest.Memory }

func (s stuck) ReadAt(p []byte, off int64) (int, error) {
	if off >= 1<<20 {
		os.Stdout.Write([]byte{'x'})
		select {}
	}
	return s.Memory.ReadAt(p, off)
}

// waitForOurselves mounts a volume that never answers. It does not return.
func waitForOurselves(t *testing.T, dir string) {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil { // as mount.Private does
		t.Fatal(err)
	}
	disk := blocktest.NewMemory(64<<20, 512)
	file := filepath.Join(dir, "ext4")
	run(t, "truncate", "-s", "64M", file)
	run(t, "mke2fs", "-q", "-t", "ext4", "-b", "1024", file)
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := disk.WriteAt(data, 0); err != nil {
		t.Fatal(err)
	}
	layer, err := NewLayer(stuck{disk}, disk.Size(), dir)
	if err != nil {
		t.Fatal(err)
	}
	shown, at := filepath.Join(dir, "shown"), filepath.Join(dir, "at")
	if err := os.Mkdir(shown, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	server, err := Serve(shown, map[string]*Layer{"killed-volume": layer})
	if err != nil {
		t.Fatal(err)
	}
	_, err = mount.Volume(t.Context(), server.Path("killed-volume"), "ext4", at, mount.Options{})
	t.Fatalf("mounted: %v", err)
}
