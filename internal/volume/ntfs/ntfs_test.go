package ntfs_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// TestVariants holds every geometry mkntfs can make against mkntfs's sisters
// and partclone.
func TestVariants(t *testing.T) {
	for _, c := range []struct {
		sector, cluster int
		size            int64
	}{
		{256, 512, 8 * mib},
		{512, 512, 8 * mib},
		{512, 1024, 8 * mib},
		{512, 2048, 8*mib + 512},
		{512, 4096, 8*mib + 3584},
		{512, 8192, 16 * mib},
		{512, 32768, 16 * mib},
		{512, 65536, 32 * mib},
		{512, 131072, 64 * mib},
		{512, 524288, 128 * mib},
		{512, 2097152, 1024 * mib},
		{1024, 1024, 8 * mib},
		{1024, 2097152, 1024 * mib},
		{2048, 2048, 8 * mib},
		{2048, 65536, 32 * mib},
		{4096, 4096, 8 * mib},
		{4096, 65536, 32 * mib},
		{4096, 2097152, 1024 * mib},
		{512, 65536, 2 << 40},
	} {
		t.Run(fmt.Sprintf("sector %d cluster %d size %d", c.sector, c.cluster, c.size), func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, c.size, "-s", strconv.Itoa(c.sector), "-c", strconv.Itoa(c.cluster), "-L", "Größe 雪")
			r := volumetest.Open(t, path)
			v, used := volumetest.Check(t, ntfs.New(), r)
			volumetest.Keep(t, ntfs.New(), r, fmt.Sprintf("s%d-c%d-%dm", c.sector, c.cluster, c.size/mib))
			info := v.Info()
			if info.Label != "Größe 雪" || info.UUID != blkid(t, path, "UUID") {
				t.Errorf("label %q, UUID %s; blkid has UUID %s", info.Label, info.UUID, blkid(t, path, "UUID"))
			}
			// With sectors of 256 bytes mkntfs misplaces the backup boot sector,
			// and ntfsfix finds fault with what it made.
			misplaced := c.sector == 256
			if info.BlockSize != int64(c.cluster) || info.Kind != "ntfs" || len(info.Notes) > 0 != misplaced {
				t.Errorf("%+v", info)
			}
			against(t, path, used, int64(c.cluster))
			if c.size < 1<<40 && !misplaced {
				sound(t, volumetest.Restore(t, path, used))
			}
		})
	}
}

// mkntfs makes a volume in a sparse file.
func mkntfs(t testing.TB, size int64, args ...string) string {
	t.Helper()
	command := append([]string{"mkntfs", "-q", "-Q", "-F", "-p", "0", "-H", "0", "-S", "0"}, args...)
	return volumetest.Mkfs(t, size, append(command, "{}")...)
}

func blkid(t testing.TB, path, tag string) string {
	t.Helper()
	return strings.TrimSpace(volumetest.Tool(t, "blkid", "-p", "-o", "value", "-s", tag, path))
}

// against holds a used map against partclone's and against the count of free
// clusters that ntfsinfo gives.
func against(t testing.TB, path string, used extent.List, cluster int64) {
	t.Helper()
	size := volumetest.Open(t, path).Size()
	volumetest.AgainstPartclone(t, "ntfs", path, used, 2*cluster)
	out := volumetest.Tool(t, "ntfsinfo", "-m", path)
	clusters, free := number(t, out, `Volume Size in Clusters: (\d+)`), number(t, out, `Free Clusters: (\d+)`)
	inside := used.Clip(extent.Extent{Length: clusters * cluster})
	if got, want := inside.Bytes(), (clusters-free)*cluster; got != want {
		t.Errorf("%d bytes used, ntfsinfo has %d", got, want)
	}
	if used.End() != size {
		t.Errorf("the used map ends at %d of %d, without the backup boot sector", used.End(), size)
	}
}

func number(t testing.TB, text, pattern string) int64 {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %q in:\n%s", pattern, text)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// sound asks the tools that check NTFS whether a volume is whole.
func sound(t testing.TB, path string) {
	t.Helper()
	volumetest.Tool(t, "ntfsfix", "-n", path)
	if verdict := probe(t, path); verdict != 0 {
		t.Errorf("ntfs-3g.probe --readwrite: exit code %d", verdict)
	}
}

// Exit codes of ntfs-3g.probe.
const (
	probeHibernated = 14
	probeUnclean    = 15
)

// probe asks ntfs-3g whether it would mount a volume for writing.
func probe(t testing.TB, path string) int {
	t.Helper()
	cmd := exec.Command("ntfs-3g.probe", "--readwrite", path)
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatalf("ntfs-3g.probe: %v", err)
	}
	return cmd.ProcessState.ExitCode()
}

// TestWindows reads what Windows itself made; the figures are ntfsinfo's.
func TestWindows(t *testing.T) {
	r, err := volumetest.ReadFixture("testdata/windows-made.sparse.gz")
	if err != nil {
		t.Fatal(err)
	}
	v, used := volumetest.Check(t, ntfs.New(), r)
	info := v.Info()
	if info.Label != "Test Volume" || info.UUID != "5696A7BD96A79C4D" || info.BlockSize != 1024 || info.Size != 10<<20 {
		t.Errorf("%+v", info)
	}
	const clusters, free = 10239, 6179
	if got := used.Clip(extentOf(0, clusters*1024)).Bytes(); got != (clusters-free)*1024 {
		t.Errorf("%d bytes used, want %d", got, (clusters-free)*1024)
	}
}

func extentOf(start, length int64) extent.Extent { return extent.Extent{Start: start, Length: length} }

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, ntfs.New()) }

func FuzzVolume(f *testing.F) { volumetest.Fuzz(f, ntfs.New()) }
