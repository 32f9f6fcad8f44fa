package btrfs

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestLogTree copies a file system behind an fsync, which leaves a log tree.
// The map of a waived refusal holds the log too, so the replay gives the same.
func TestLogTree(t *testing.T) {
	path := mkfs(t, 256<<20)
	dir, unmount := mount(t, path, "commit=300")
	shell(t, dir, populate+"head -c 3000000 /dev/urandom > home/fsynced; sync home/fsynced; echo small > note; sync note")
	copied := filepath.Join(t.TempDir(), "copy.img")
	volumetest.Tool(t, "cp", "--sparse=always", path, copied)
	unmount()

	r := volumetest.Open(t, copied)
	if refusal := volumetest.Refused(t, New(), r, volume.NeedsReplay); !refusal.Waivable {
		t.Error("not waivable")
	}
	volumetest.Keep(t, New(), r, "refused-log-tree")
	v, err := New().Open(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	used, err := v.Used(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	restored := volumetest.Restore(t, copied, used)
	if got, want := replay(t, restored), replay(t, copied); got != want {
		t.Error("the files differ after the replay")
	}
}

// replay mounts a file system and returns the digest of its files.
func replay(t *testing.T, path string) string {
	t.Helper()
	dir, unmount := mount(t, path)
	defer unmount()
	for _, name := range []string{"home/fsynced", "note"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s was not replayed: %v", name, err)
		}
	}
	scrub(t, dir)
	return volumetest.Digest(t, dir)
}

// TestPausedBalance stops a balance between two block groups, which leaves a
// balance item and relocated trees.
func TestPausedBalance(t *testing.T) {
	path := mkfs(t, 400<<20, "-m", "single")
	dir, unmount := mount(t, path)
	shell(t, dir, populate+"for i in 1 2 3; do head -c 40000000 /dev/urandom > $i; sync -f .; done")
	volumetest.Tool(t, "btrfs", "balance", "start", "--background", "--full-balance", dir)
	for deadline := time.Now().Add(20 * time.Second); ; {
		if exec.Command("btrfs", "balance", "pause", dir).Run() == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the balance cannot be paused")
		}
	}
	digest := volumetest.Digest(t, dir)
	unmount()
	v, _ := volumetest.Check(t, New(), volumetest.Open(t, path))
	if notes := v.Info().Notes; !slices.ContainsFunc(notes, func(s string) bool { return strings.Contains(s, "balance") }) {
		t.Errorf("notes %q", notes)
	}
	judge(t, path)
	volumetest.Keep(t, New(), volumetest.Open(t, path), "paused-balance")
	restoredIs(t, path, digest)
}

// TestSimpleQuota has owner references in the extent items. The btrfs program
// of Debian 12 cannot enable it, nor read it afterwards: the kernel is the judge.
func TestSimpleQuota(t *testing.T) {
	path := mkfs(t, 256<<20)
	dir, unmount := mount(t, path)
	enableSimpleQuota(t, dir)
	shell(t, dir, populate)
	digest := volumetest.Digest(t, dir)
	unmount()
	_, used := volumetest.Check(t, New(), volumetest.Open(t, path))
	volumetest.Keep(t, New(), volumetest.Open(t, path), "simple-quota")
	restored, unmountRestored := mount(t, volumetest.Restore(t, path, used))
	defer unmountRestored()
	if got := volumetest.Digest(t, restored); got != digest {
		t.Error("the restored files differ")
	}
	scrub(t, restored)
}

// enableSimpleQuota calls BTRFS_IOC_QUOTA_CTL with BTRFS_QUOTA_CTL_ENABLE_SIMPLE_QUOTA.
func enableSimpleQuota(t *testing.T, dir string) {
	t.Helper()
	const quotaCtl, enableSimple = 0xc0109428, 4
	f, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	args := struct{ cmd, status uint64 }{cmd: enableSimple}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), quotaCtl, uintptr(unsafe.Pointer(&args))); errno != 0 {
		t.Fatalf("enable simple quotas: %v", errno)
	}
}
