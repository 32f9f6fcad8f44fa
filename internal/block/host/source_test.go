package host

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
)

func TestSourceReads(t *testing.T) {
	const size = 3<<20 + 512
	image := imageFile(t, size)
	want := bytes.Repeat([]byte("ingot"), size/5+1)[:size]
	if err := os.WriteFile(image, want, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{image, attach(t, image), attach(t, image, "--sector-size", "4096")} {
		s := openTestSource(t, path)
		got := make([]byte, s.Size())
		s.Prefetch(0, s.Size())
		if err := block.ReadFull(s, got, 0); err != nil || !bytes.Equal(got, want[:s.Size()]) {
			t.Errorf("%s reads wrong: %v", path, err)
		}
		if start, end, err := s.NextData(1000); start != 1000 || end != s.Size() || err != nil {
			t.Errorf("%s: NextData(1000) = %d, %d, %v", path, start, end, err)
		}
		if n, err := s.ReadAt(got[:100], s.Size()-10); n != 10 || err == nil {
			t.Errorf("%s: read over the end: %d, %v", path, n, err)
		}
	}
}

func TestSourceSectorSize(t *testing.T) {
	image := imageFile(t, 1<<20)
	for path, want := range map[string]int{
		image: 512, attach(t, image): 512, attach(t, image, "--sector-size", "4096"): 4096,
	} {
		if got := openTestSource(t, path).SectorSize(); got != want {
			t.Errorf("%s has sectors of %d bytes, want %d", path, got, want)
		}
	}
	s, err := OpenSource(image, SourceOptions{SectorSize: 4096})
	if err != nil || s.SectorSize() != 4096 {
		t.Fatalf("with 4096-byte sectors: %v", err)
	}
	s.Close()
	if _, err := OpenSource(image, SourceOptions{SectorSize: 1000}); err == nil {
		t.Error("a sector of 1000 bytes was accepted")
	}
}

func TestSourceHoles(t *testing.T) {
	const size = 1 << 30
	image := imageFile(t, size)
	f, err := os.OpenFile(image, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{1}, 1<<20), 512<<20); err != nil {
		t.Fatal(err)
	}
	s := openTestSource(t, image)
	for _, c := range []struct{ off, start, end int64 }{
		{0, 512 << 20, 513 << 20},
		{512<<20 + 5, 512<<20 + 5, 513 << 20},
		{513 << 20, size, size},
		{size, size, size},
		{size + 5, size, size},
	} {
		if start, end, err := s.NextData(c.off); start != c.start || end != c.end || err != nil {
			t.Errorf("NextData(%#x) = %#x, %#x, %v; want %#x, %#x", c.off, start, end, err, c.start, c.end)
		}
	}
}

// TestSourceCut: a source that shrinks while it is read is an error, not zeros.
func TestSourceCut(t *testing.T) {
	image := imageFile(t, 1<<20)
	s := openTestSource(t, image)
	if err := os.Truncate(image, 1000); err != nil {
		t.Fatal(err)
	}
	var failed *IOError
	if n, err := s.ReadAt(make([]byte, 4096), 0); n != 1000 || !errors.As(err, &failed) || failed.Offset != 1000 {
		t.Errorf("read %d bytes, %v", n, err)
	}
	if start, end, err := s.NextData(4096); !errors.As(err, &failed) || failed.Offset != 1000 {
		t.Errorf("NextData in what was cut off = %d, %d, %v", start, end, err)
	}
}

func TestOpenSourceRefuses(t *testing.T) {
	for _, path := range []string{t.TempDir(), "/dev/null", imageFile(t, 0)} {
		if _, err := OpenSource(path, SourceOptions{}); !errors.As(err, new(*KindError)) {
			t.Errorf("%s: %v, want a *KindError", path, err)
		}
	}
	if _, err := OpenSource("/dev/no-such-disk", SourceOptions{}); !errors.As(err, new(*NotFoundError)) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing disk: %v", err)
	}
}

// TestSourceSeesPartitionWrites: a disk that somebody keeps open has a page
// cache that knows nothing of what is written to its partitions.
func TestSourceSeesPartitionWrites(t *testing.T) {
	disk := loopDisk(t, 4<<20)
	part := partitionOf(t, disk, 1<<20, 1<<20)
	opener := openTestSource(t, disk)
	p := make([]byte, 4096)
	for _, open := range []func() block.Reader{
		func() block.Reader { return openTestSource(t, disk) },
		func() block.Reader { return openTestTarget(t, disk, TargetOptions{}) },
	} {
		if err := block.ReadFull(opener, p, 1<<20); err != nil { // now the old bytes are cached
			t.Fatal(err)
		}
		want := []byte{p[0] + 1, 2, 3}
		if err := os.WriteFile(part, want, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := block.ReadFull(open(), p, 1<<20); err != nil || !bytes.HasPrefix(p, want) {
			t.Errorf("read %v, %v; want %v", p[:3], err, want)
		}
	}
}
