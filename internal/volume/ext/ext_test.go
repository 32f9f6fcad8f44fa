package ext

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestVariants holds the map of every variant, empty, against the other readers.
func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			path := v.make(t)
			info, _ := judge(t, path)
			if info.Kind != v.kind {
				t.Errorf("kind %q, want %q", info.Kind, v.kind)
			}
			if v.keep {
				volumetest.Keep(t, New(), volumetest.Open(t, path), v.name)
			}
		})
	}
}

// judge holds the map of a clean volume against e2fsprogs and partclone, to the block.
//
// Partclone knows no bigalloc: it takes a bit for a block, and stops, or goes
// on with a wrong map.
func judge(t testing.TB, path string) (volume.Info, extent.List) {
	t.Helper()
	vol, used := volumetest.Check(t, New(), volumetest.Open(t, path))
	info := vol.Info()
	againstBlkid(t, path, info)
	out := volumetest.Tool(t, "dumpe2fs", path)
	againstDumpe2fs(t, out, used, info)
	if !strings.Contains(out, "Cluster size:") {
		volumetest.AgainstPartclone(t, "extfs", path, used, 0)
	}
	return info, used
}

// againstBlkid fails unless kind, label and UUID are what blkid prints.
func againstBlkid(t testing.TB, path string, info volume.Info) {
	t.Helper()
	want := fmt.Sprintf("LABEL=%s\nUUID=%s\nTYPE=%s\n", info.Label, info.UUID, info.Kind)
	if info.Label == "" {
		_, want, _ = strings.Cut(want, "\n")
	}
	got := volumetest.Tool(t, "blkid", "--probe", "--output", "export", "-s", "LABEL", "-s", "UUID", "-s", "TYPE", path)
	if _, got, _ = strings.Cut(got, "\n"); got != want { // behind the line that names the device
		t.Errorf("blkid says\n%swe say\n%s", got, want)
	}
}

// againstDumpe2fs fails unless the map is exactly what libext2fs does not call
// free, and the description is what it prints.
func againstDumpe2fs(t testing.TB, out string, used extent.List, info volume.Info) {
	t.Helper()
	blockSize, clusterSize := number(t, out, "Block size"), number(t, out, "Block size")
	if strings.Contains(out, "Cluster size:") {
		clusterSize = number(t, out, "Cluster size")
	}
	blocks := number(t, out, "Block count")
	if info.BlockSize != blockSize || info.Size != blocks*blockSize || info.Used != info.Size-number(t, out, "Free blocks")*blockSize {
		t.Errorf("info %+v disagrees with dumpe2fs:\n%s", info, out[:min(len(out), 2000)])
	}
	theirs := freeBlocks(t, out, blockSize, clusterSize).Complement(info.Size)
	if extra := used.Subtract(theirs); len(extra) > 0 {
		t.Errorf("%d bytes are free for dumpe2fs and in our map, first %v", extra.Bytes(), extra[0])
	}
	if missing := theirs.Subtract(used); len(missing) > 0 {
		t.Errorf("%d bytes are used for dumpe2fs and not in our map, first %v", missing.Bytes(), missing[0])
	}
}

// freeBlocks collects the ranges that dumpe2fs lists. With bigalloc it names
// each cluster by its first block.
func freeBlocks(t testing.TB, out string, blockSize, clusterSize int64) extent.List {
	t.Helper()
	var free extent.Builder
	for _, m := range regexp.MustCompile(`(?m)^  Free blocks: (.+)$`).FindAllStringSubmatch(out, -1) {
		for r := range strings.SplitSeq(m[1], ", ") {
			first, last, ok := strings.Cut(r, "-")
			if !ok {
				last = first
			}
			from, err1 := strconv.ParseInt(first, 10, 64)
			to, err2 := strconv.ParseInt(last, 10, 64)
			if err1 != nil || err2 != nil {
				t.Fatalf("dumpe2fs prints %q", r)
			}
			free.Add(from*blockSize, (to-from)*blockSize+clusterSize)
		}
	}
	return free.List()
}

// number finds a figure in what dumpe2fs prints.
func number(t testing.TB, out, name string) int64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + `: +(\d+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("dumpe2fs prints no %q", name)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
