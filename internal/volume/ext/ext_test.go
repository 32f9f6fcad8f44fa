package ext

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func (v variant) make(t testing.TB) string {
	args := append([]string{"mke2fs", "-q", "-F"}, v.mkfs...)
	return volumetest.Mkfs(t, v.size, append(args, "{}")...)
}

// TestVariants holds the map of every variant against e2fsprogs (dumpe2fs, to
// the block) and partclone.
func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			path := v.make(t)
			vol, used := volumetest.Check(t, New(), volumetest.Open(t, path))
			info := vol.Info()
			if info.Kind != v.kind {
				t.Errorf("kind %q, want %q", info.Kind, v.kind)
			}
			againstDumpe2fs(t, path, used, info.Size)
			if v.size < tib {
				volumetest.AgainstPartclone(t, "extfs", path, used, 0)
			}
			volumetest.Keep(t, New(), volumetest.Open(t, path), v.name)
		})
	}
}

// againstDumpe2fs fails unless the map is exactly what libext2fs does not call free.
func againstDumpe2fs(t testing.TB, path string, used extent.List, size int64) {
	t.Helper()
	out := volumetest.Tool(t, "dumpe2fs", path)
	blockSize := int64(field(t, out, "Block size"))
	var free extent.Builder
	for _, m := range regexp.MustCompile(`(?m)^  Free blocks: (.+)$`).FindAllStringSubmatch(out, -1) {
		for _, r := range strings.Split(m[1], ", ") {
			first, last, ok := strings.Cut(r, "-")
			if !ok {
				last = first
			}
			from, err1 := strconv.ParseInt(first, 10, 64)
			to, err2 := strconv.ParseInt(last, 10, 64)
			if err1 != nil || err2 != nil {
				t.Fatalf("dumpe2fs prints %q", r)
			}
			free.Add(from*blockSize, (to+1-from)*blockSize)
		}
	}
	theirs := free.List().Complement(size)
	if extra := used.Subtract(theirs); len(extra) > 0 {
		t.Errorf("%d bytes are free for dumpe2fs and in our map, first %v", extra.Bytes(), extra[0])
	}
	if missing := theirs.Subtract(used); len(missing) > 0 {
		t.Errorf("%d bytes are used for dumpe2fs and not in our map, first %v", missing.Bytes(), missing[0])
	}
}

func field(t testing.TB, out, name string) uint64 {
	t.Helper()
	m := regexp.MustCompile(`(?m)^` + name + `: +(\d+)$`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("dumpe2fs prints no %q", name)
	}
	n, err := strconv.ParseUint(m[1], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
