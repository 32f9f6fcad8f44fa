package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/blocktest"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestTargetConforms(t *testing.T) {
	file := func(t *testing.T, size int64) string { return imageFile(t, size) }
	for _, c := range []struct {
		name  string
		align int
		path  func(t *testing.T, size int64) string
	}{
		{"file", 512, file},
		{"file with 4096-byte blocks", 4096, file},
		{"file, buffered", 1, file},
		{"file on tmpfs", 0, func(t *testing.T, size int64) string { return sharedMemoryFile(t, size) }},
		{"loop device", 512, func(t *testing.T, size int64) string { return loopDisk(t, size) }},
		{"loop device with 4096-byte sectors", 4096, func(t *testing.T, size int64) string {
			return loopDisk(t, size, "--sector-size", "4096")
		}},
		{"partition", 512, func(t *testing.T, size int64) string {
			return partitionOf(t, loopDisk(t, size+2<<20), 1<<20, size)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			blocktest.Writer(t, func(t *testing.T, size int64) block.Writer {
				target := openTestTarget(t, c.path(t, size), TargetOptions{})
				if c.align == 1 {
					if err := setDirect(target.write, 0); err != nil {
						t.Fatal(err)
					}
				}
				if target.geometry.device && target.align != c.align {
					t.Errorf("writes are aligned to %d bytes, want %d", target.align, c.align)
				}
				if c.align != 0 {
					target.align = c.align
				}
				return target
			})
		})
	}
}

func TestOpenTargetCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new.img")
	if _, err := OpenTarget(path, TargetOptions{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without a size: %v, want not found", err)
	}
	target := openTestTarget(t, path, TargetOptions{CreateSize: 8 << 30})
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil || st.Size != 8<<30 || st.Blocks > 16 || st.Mode&0o777 != 0o600 {
		t.Errorf("made a file of %d bytes, %d blocks, mode %o, %v", st.Size, st.Blocks, st.Mode, err)
	}
	if d := target.Describe(); d.Model != "image file" || d.Size != 8<<30 || d.Path != path {
		t.Errorf("described as %+v", d)
	}
	target.Close()
	if target := openTestTarget(t, path, TargetOptions{CreateSize: 1 << 20}); target.Size() != 8<<30 {
		t.Errorf("a file that was there has changed its size to %d", target.Size())
	}
	empty := imageFile(t, 0)
	if target := openTestTarget(t, empty, TargetOptions{CreateSize: 1 << 20}); target.Size() != 1<<20 {
		t.Errorf("an empty file became %d bytes", target.Size())
	}
}

func TestOpenTargetRefuses(t *testing.T) {
	isKind := func(err error) bool { return errors.As(err, new(*KindError)) }
	isMissing := func(err error) bool { return errors.As(err, new(*NotFoundError)) }
	isReadOnly := func(err error) bool { return errors.As(err, new(*ReadOnlyError)) }
	inDev := "/dev/ingot-test-" + strconv.Itoa(os.Getpid())
	t.Cleanup(func() { os.Remove(inDev) })
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink("/dev", link); err != nil {
		t.Fatal(err)
	}
	readOnly := loopDisk(t, 1<<20, "--read-only")
	setRO := loopDisk(t, 1<<20)
	volumetest.Tool(t, "blockdev", "--setro", setRO)
	t.Cleanup(func() { volumetest.Tool(t, "blockdev", "--setrw", setRO) }) // it would outlive the file
	for _, c := range []struct {
		name, path string
		want       func(error) bool
	}{
		{"mistyped device", inDev, isMissing},
		{"mistyped device behind a link", link + "/" + filepath.Base(inDev), isMissing},
		{"folder that is not there", filepath.Join(t.TempDir(), "no/disk.img"), func(err error) bool { return errors.Is(err, fs.ErrNotExist) }},
		{"folder", t.TempDir(), isKind},
		{"character device", "/dev/null", isKind},
		{"pipe", pipe, isKind},
		{"read-only loop device", readOnly, isReadOnly},
		{"device set read-only", setRO, isReadOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := OpenTarget(c.path, TargetOptions{CreateSize: 1 << 20})
			if err == nil || !c.want(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := os.Stat(inDev); err == nil {
		t.Error("a file was made in /dev")
	}
	if err := os.WriteFile(inDev, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenTarget(inDev, TargetOptions{}); !isKind(err) {
		t.Errorf("a regular file in /dev: %v", err)
	}
	if _, err := OpenTarget(imageFile(t, 0), TargetOptions{}); !isKind(err) {
		t.Errorf("an empty file: %v", err)
	}
}

func TestOpenTargetBusy(t *testing.T) {
	image := volumetest.Mkfs(t, 8<<20, "mkfs.ext4", "-q", "{}")
	dir, unmount := volumetest.Mount(t, image, "ro")
	var busy *BusyError
	if _, err := OpenTarget(image, TargetOptions{}); !errors.As(err, &busy) || len(busy.Uses) != 2 ||
		busy.Uses[1].Where != dir || !busy.Uses[1].ReadOnly {
		t.Errorf("image file mounted read-only: %v", err)
	}
	loop := busy.Uses[0].Where
	if _, err := OpenTarget(loop, TargetOptions{}); !errors.As(err, &busy) || len(busy.Uses) != 1 {
		t.Errorf("its loop device: %v", err)
	}
	unmount()

	image = imageFile(t, 1<<20)
	device := attach(t, image)
	for _, path := range []string{image, device} {
		first, err := OpenTarget(path, TargetOptions{})
		if path == image {
			if !errors.As(err, &busy) {
				t.Errorf("attached image file: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenTarget(path, TargetOptions{}); !errors.As(err, &busy) {
			t.Errorf("a second target on a device: %v", err)
		}
		first.Close()
		openTestTarget(t, path, TargetOptions{})
	}

	image = imageFile(t, 1<<20)
	openTestTarget(t, image, TargetOptions{})
	if _, err := OpenTarget(image, TargetOptions{}); !errors.As(err, &busy) || busy.Uses[0].What != UseLocked {
		t.Errorf("a second target on a file: %v", err)
	}
}

func TestTargetDiskFull(t *testing.T) {
	small := volumetest.Mkfs(t, 4<<20, "mkfs.ext4", "-q", "-O", "^has_journal", "{}")
	dir, _ := volumetest.Mount(t, small)
	for _, direct := range []bool{true, false} {
		target := openTestTarget(t, filepath.Join(dir, "sparse.img"), TargetOptions{CreateSize: 16 << 20})
		if !direct {
			if err := setDirect(target.write, 0); err != nil {
				t.Fatal(err)
			}
			target.align = 1
		}
		piece := block.AlignedBuffer(1 << 20)
		piece[0] = 1
		var err error
		off := int64(0)
		for ; off < target.Size() && err == nil; off += 1 << 20 {
			_, err = target.WriteAt(piece, off)
		}
		var failed *IOError
		if !errors.As(err, &failed) || !errors.Is(err, unix.ENOSPC) || failed.Offset < off-1<<20 || failed.Offset >= off {
			t.Errorf("direct %v: the write before %#x failed with %v", direct, off, err)
		}
		target.Close()
		os.Remove(target.Path())
	}
}

func TestTargetDiscard(t *testing.T) {
	const size = 8 << 20
	for _, c := range []struct {
		name, path string
	}{
		{"file", imageFile(t, size)},
		{"tmpfs", sharedMemoryFile(t, size)},
		{"loop device", loopDisk(t, size)},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := openTestTarget(t, c.path, TargetOptions{})
			if !target.CanDiscard() {
				t.Fatal("cannot discard")
			}
			if target.DiscardZeroes() == target.geometry.device {
				t.Errorf("DiscardZeroes() = %v", target.DiscardZeroes())
			}
			ones := bytes.Repeat([]byte{1}, size)
			if _, err := target.WriteAt(ones, 0); err != nil {
				t.Fatal(err)
			}
			if err := target.Discard(1<<20+100, 4<<20); err != nil {
				t.Fatal(err)
			}
			if err := target.Discard(100, 200); err != nil {
				t.Fatal(err)
			}
			got := make([]byte, size)
			if err := block.ReadFull(target, got, 0); err != nil {
				t.Fatal(err)
			}
			// A loop device passes the discard on to a file, so that it reads as zeros too.
			if len(bytes.Trim(got[1<<20+512:5<<20], "\x00")) > 0 {
				t.Error("the range is not discarded")
			}
			if !bytes.Equal(got[:100], ones[:100]) || !bytes.Equal(got[5<<20+100:], ones[5<<20+100:]) {
				t.Error("other bytes were discarded too")
			}
			if err := target.Discard(size-1, 2); err == nil {
				t.Error("discarded bytes behind the end")
			}
		})
	}
}

func TestTargetDropCache(t *testing.T) {
	image := imageFile(t, 1<<20)
	device := attach(t, image)
	target := openTestTarget(t, device, TargetOptions{})
	p := make([]byte, 4096)
	if err := block.ReadFull(target, p, 0); err != nil { // now it is in the cache
		t.Fatal(err)
	}
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("behind"), 0); err != nil {
		t.Fatal(err)
	}
	if err := target.DropCache(); err != nil {
		t.Fatal(err)
	}
	if err := block.ReadFull(target, p, 0); err != nil || !bytes.HasPrefix(p, []byte("behind")) {
		t.Errorf("read %q, %v after the medium changed", p[:6], err)
	}
}

func TestTargetReread(t *testing.T) {
	disk := loopDisk(t, 4<<20, "--partscan")
	part := partitionOf(t, disk, 1<<20, 1<<20)
	target := openTestTarget(t, disk, TargetOptions{})
	if got := target.Describe().Partitions; len(got) != 1 || got[0] != part {
		t.Errorf("partitions %v before, want %s", got, part)
	}
	if err := target.Reread(); err != nil {
		t.Fatal(err)
	}
	if d, err := Stat(disk); err != nil || len(d.Partitions) != 0 {
		t.Errorf("partitions %v, %v after a disk without a table was read again", d.Partitions, err)
	}
	for _, path := range []string{loopDisk(t, 1<<20), imageFile(t, 1<<20)} {
		if err := openTestTarget(t, path, TargetOptions{}).Reread(); err != nil {
			t.Errorf("%s has no partitions to read, got %v", path, err)
		}
	}
}
