package room_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/ingot-imaging/ingot/internal/api/message"
	"github.com/ingot-imaging/ingot/internal/capture/capturetest"
	"github.com/ingot-imaging/ingot/internal/fleet"
	"github.com/ingot-imaging/ingot/internal/room"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// tiny is a file system of a few MiB in memory, mounted at dir.
func tiny(t *testing.T, dir string, mib int) (grow func(mib int)) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	size := func(mib int) string { return fmt.Sprintf("size=%dm", mib) }
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size(mib)); err != nil {
		t.Fatalf("mount a file system in memory, which needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return func(mib int) {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, size(mib)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStoreIsFull captures into a store without room: the job fails and says why and how
// much room there is, there is no image, and what is there is intact. With room the
// same job is done.
func TestStoreIsFull(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	grow := tiny(t, filepath.Join(folder, "store"), 8)
	s := serveIn(t, folder)
	s.image("other:v1", 100)
	disk := capturetest.Disk(diskSize, diskSize/4, 1, 2, 3, 4)
	pc, err := room.NewPC(s.Server, 1, room.DiskOf(disk))
	s.must(err)
	s.pcs = append(s.pcs, pc)
	ids := s.approved(pc)
	batch := s.submit(message.Spec{Kind: wire.Capture, Image: "lab:v1", Machines: ids})
	j := s.state(batch.ID, fleet.Failed)[0]
	if !regexp.MustCompile(`store is full: \d.* free of 8\.0 MiB`).MatchString(j.Result.Error) {
		t.Errorf("the job failed and says: %s", j.Result.Error)
	}
	names, err := s.Images(t.Context())
	s.must(err)
	if !slices.Equal(names, []string{"other:v1"}) {
		t.Errorf("after a capture that failed there are the images %v", names)
	}
	s.must(s.Check(t.Context()))

	grow(64)
	again, err := s.api.Retry(t.Context(), batch.ID)
	s.must(err)
	j = s.state(again.ID, fleet.Done)[0]
	names, err = s.Images(t.Context())
	s.must(err)
	if !slices.Contains(names, "lab:v1") || j.Result.Image == "" {
		t.Errorf("after a capture there are the images %v; its result is %+v", names, j.Result)
	}
	s.must(s.Check(t.Context()))
}

// TestDatabaseIsFull fills the file system of the database while a job ends. The server
// says no to what it cannot keep, shows nothing as done, and goes on when there is room.
func TestDatabaseIsFull(t *testing.T) {
	t.Parallel()
	folder, store := filepath.Join(t.TempDir(), "data"), t.TempDir()
	tiny(t, folder, 8)
	if err := os.Symlink(store, filepath.Join(folder, "store")); err != nil {
		t.Fatal(err)
	}
	s := serveIn(t, folder)
	disk := s.image("lab:v1", 1)
	pc := s.pc(1)
	ids := s.approved(pc)
	reached, release := pc.Disk.Hold(diskSize / 2)
	batch := s.deploy("lab:v1", ids...)
	s.reached(reached)
	ballast := filepath.Join(folder, "ballast")
	fill(t, ballast)
	release()
	refused := 0
	for range 20 {
		s.pause()
		if err := s.api.SetNotes(t.Context(), ids[0], strings.Repeat("words ", 1000)); err != nil {
			refused++
		}
		if j := s.jobs(batch.ID)[0]; j.State != fleet.Running || j.Result != nil {
			t.Fatalf("while nothing can be kept the job is %s: %+v", j.State, j.Result)
		}
	}
	if refused == 0 {
		t.Error("a full database took everything")
	}
	if pc.Err() != nil {
		t.Errorf("the PC's agent ended: %v", pc.Err())
	}
	s.must(os.Remove(ballast))
	s.state(batch.ID, fleet.Done)
	s.holds(pc, disk)
	s.must(s.api.SetNotes(t.Context(), ids[0], "there is room again"))
	if !strings.Contains(s.Log(), "full") {
		t.Error("the server's log does not say that the disk is full")
	}
}

// fill writes a file until nothing more fits.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 1 << 12, 1} {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
		err = nil
	}
}
