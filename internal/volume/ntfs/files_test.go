package ntfs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestFiles restores volumes with files on them over garbage and looks whether
// everything is still there.
func TestFiles(t *testing.T) {
	for _, c := range []struct {
		sector, cluster int
		size            int64
	}{
		{512, 512, 24 * mib},
		{512, 4096, 48 * mib},
		{512, 131072, 64 * mib},
		{4096, 4096, 48 * mib},
	} {
		name := fmt.Sprintf("files-s%d-c%d", c.sector, c.cluster)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, c.size, "-s", strconv.Itoa(c.sector), "-c", strconv.Itoa(c.cluster))
			dir, unmount := mount(t, path)
			populate(t, dir)
			unmount()
			_, used := volumetest.Check(t, ntfs.New(), volumetest.Open(t, path))
			against(t, path, used, int64(c.cluster))
			restored := volumetest.Restore(t, path, used)
			sound(t, restored)
			if digest(t, restored) != digest(t, path) {
				t.Error("the restored volume differs")
			}
		})
	}
}

// populate makes every sort of content.
func populate(t testing.TB, dir string) {
	t.Helper()
	for _, folder := range []string{"small", "compressed", "Ünïcode 雪"} {
		if err := os.Mkdir(filepath.Join(dir, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	const compressed = "0x00000800" // FILE_ATTRIBUTE_COMPRESSED, big-endian
	volumetest.Tool(t, "setfattr", "-n", "system.ntfs_attrib_be", "-v", compressed, filepath.Join(dir, "compressed"))
	write(t, dir, "compressed/file", 500_000)
	write(t, dir, "Ünïcode 雪/file", 100_000)
	volumetest.Tool(t, "setfattr", "-n", "user.stream", "-v", strings.Repeat("s", 8000), filepath.Join(dir, "Ünïcode 雪/file"))
	for i := range 150 {
		write(t, dir, fmt.Sprintf("small/%d", i), i*20)
	}
	sparse, err := os.Create(filepath.Join(dir, "sparse"))
	if err != nil {
		t.Fatal(err)
	}
	defer sparse.Close()
	for _, off := range []int64{0, 3 * mib, 9*mib + 5} {
		if _, err := sparse.WriteAt([]byte("island"), off); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFragmented reads a volume whose $MFT and page file are in so many pieces
// that they need attribute lists, that of $MFT a non-resident one.
func TestFragmented(t *testing.T) {
	t.Parallel()
	path := mkntfs(t, 20*mib, "-c", "512")
	dir, unmount := mount(t, path)
	fragment(t, dir, 2600, 1024)
	write(t, dir, "pagefile.sys", mib)
	for i, err := 0, error(nil); err == nil; i++ {
		err = os.WriteFile(filepath.Join(dir, fmt.Sprintf("stone-%05d-tiny", i)), nil, 0o644)
	}
	unmount()
	for _, name := range []string{"$MFT", "pagefile.sys"} {
		if out := clusters(t, path, name); strings.Count(out, "0x80") < 2 || !strings.Contains(out, "0x20") {
			t.Errorf("%s is not fragmented enough", name)
		}
	}
	r := volumetest.Open(t, path)
	v, used := volumetest.Check(t, ntfs.New(), r)
	volumetest.Keep(t, ntfs.New(), r, "fragmented")
	against(t, path, used, 512)
	restored := volumetest.Restore(t, path, used)
	sound(t, restored)
	if digest(t, restored) != digest(t, path) {
		t.Error("the restored volume differs")
	}
	if got, want := omitted(t, v)["pagefile.sys"], behindHead(t, path, "pagefile.sys", 512); !slices.Equal(got, want) {
		t.Errorf("pagefile.sys: %d extents, want %d", len(got), len(want))
	}
}
