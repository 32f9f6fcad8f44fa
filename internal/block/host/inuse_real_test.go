package host

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func inUse(t *testing.T, path string) []Use {
	t.Helper()
	uses, err := InUse(path)
	if err != nil {
		t.Fatal(err)
	}
	return uses
}

func TestInUseMountedImage(t *testing.T) {
	image := volumetest.Mkfs(t, 8<<20, "mkfs.ext4", "-q", "{}")
	if uses := inUse(t, image); len(uses) != 0 {
		t.Errorf("before: %v", uses)
	}
	for _, option := range []string{"rw", "ro"} {
		dir, unmount := volumetest.Mount(t, image, option)
		uses := inUse(t, image)
		if len(uses) == 0 {
			t.Fatal("nobody uses a mounted image")
		}
		loop, readOnly := uses[0].Where, option == "ro"
		want := []Use{{image, UseAttached, loop, readOnly}, {loop, UseMounted, dir, readOnly}}
		if !slices.Equal(uses, want) {
			t.Errorf("%s: got %v, want %v", option, uses, want)
		}
		if uses := inUse(t, loop); !slices.Equal(uses, want[1:]) {
			t.Errorf("%s: got %v of the loop device, want %v", option, uses, want[1:])
		}
		unmount()
		if uses := inUse(t, image); len(uses) != 0 {
			t.Errorf("after: %v", uses)
		}
	}
}

func TestInUsePartition(t *testing.T) {
	image := imageFile(t, 16<<20)
	disk := attach(t, image)
	part := partitionOf(t, disk, 1<<20, 8<<20)
	if uses := inUse(t, disk); len(uses) != 0 {
		t.Errorf("before: %v", uses)
	}
	volumetest.Tool(t, "mkfs.ext4", "-q", part)
	dir := t.TempDir()
	volumetest.Tool(t, "mount", part, dir)
	t.Cleanup(func() { exec.Command("umount", dir).Run() })
	mounted := Use{part, UseMounted, dir, false}
	for path, want := range map[string][]Use{
		part:  {mounted},
		disk:  {mounted},
		image: {{image, UseAttached, disk, false}, mounted},
	} {
		if uses := inUse(t, path); !slices.Equal(uses, want) {
			t.Errorf("%s: got %v, want %v", path, uses, want)
		}
	}
	if _, err := OpenTarget(disk, TargetOptions{}); !errors.As(err, new(*BusyError)) {
		t.Errorf("a disk with a mounted partition as a target: %v", err)
	}
}

func TestInUseClaimed(t *testing.T) {
	disk := loopDisk(t, 1<<20)
	openTestTarget(t, disk, TargetOptions{})
	if uses := inUse(t, disk); !slices.Equal(uses, []Use{{Device: disk, What: UseClaimed}}) {
		t.Errorf("an open target: %v", uses)
	}
}

// TestInUseLocked locks one byte the way QEMU does (block/file-posix.c).
func TestInUseLocked(t *testing.T) {
	image := imageFile(t, 1<<20)
	f, err := os.Open(image)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_RDLCK, Start: 100, Len: 1}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock); err != nil {
		t.Fatal(err)
	}
	if uses := inUse(t, image); !slices.Equal(uses, []Use{{Device: image, What: UseLocked}}) {
		t.Errorf("got %v", uses)
	}
	if _, err := OpenTarget(image, TargetOptions{}); !errors.As(err, new(*BusyError)) {
		t.Errorf("as a target: %v", err)
	}
}

func TestInUseSwap(t *testing.T) {
	disk := loopDisk(t, 1<<20)
	volumetest.Tool(t, "mkswap", disk)
	volumetest.Tool(t, "swapon", disk)
	t.Cleanup(func() { exec.Command("swapoff", disk).Run() })
	if uses := inUse(t, disk); !slices.Equal(uses, []Use{{Device: disk, What: UseSwap}}) {
		t.Errorf("got %v", uses)
	}
}

// TestInUseOtherNamespace mounts where only another process sees it.
func TestInUseOtherNamespace(t *testing.T) {
	disk, dir := loopDisk(t, 4<<20), t.TempDir()
	volumetest.Tool(t, "mkfs.ext4", "-q", disk)
	other := exec.Command("unshare", "--mount", "sh", "-c", `mount "$0" "$1" && echo mounted && read line`, disk, dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "mounted\n" {
		t.Fatalf("no mount in another namespace: %q, %v", line, err)
	}
	uses := inUse(t, disk)
	in.Close()
	other.Wait()
	if !slices.Equal(uses, []Use{{Device: disk, What: UseClaimed}}) {
		t.Errorf("got %v", uses)
	}
	if uses := inUse(t, disk); len(uses) > 0 {
		t.Errorf("afterwards: %v", uses)
	}
}
