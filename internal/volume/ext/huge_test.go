package ext

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestHuge has volumes of more than 2^32 blocks. They lie in sparse files on
// XFS, because ext4 files end at 16 TiB.
func TestHuge(t *testing.T) {
	dir, _ := volumetest.Mount(t, volumetest.Mkfs(t, 2<<30, "mkfs.xfs", "-q", "{}"))
	make := func(size int64, options string) string {
		path := filepath.Join(dir, "huge.img")
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Truncate(path, size))
		args := strings.Fields("-q -F -t ext4 -b 4096 -i 16777216 -J size=4 -E nodiscard,num_backup_sb=0 " + options)
		volumetest.Tool(t, "mke2fs", append(args, path)...)
		return path
	}

	t.Run("17 TiB", func(t *testing.T) {
		path := make(17<<40, "-O sparse_super2,^resize_inode")
		vol, used := volumetest.Check(t, New(), volumetest.Open(t, path))
		out := volumetest.Tool(t, "dumpe2fs", "-h", path)
		if want := (number(t, out, "Block count") - number(t, out, "Free blocks")) * 4096; used.Bytes() != want || vol.Info().Used != want {
			t.Errorf("map of %d bytes, info says %d, dumpe2fs says %d", used.Bytes(), vol.Info().Used, want)
		}
	})
	t.Run("40 TiB in clusters", func(t *testing.T) {
		path := make(40<<40, "-O bigalloc,sparse_super2,^resize_inode,^metadata_csum -C 16777216")
		_, used := judge(t, path)
		if used.End() <= 1<<44 {
			t.Errorf("nothing is in use behind block 2^32, the map ends at %#x", used.End())
		}
		volumetest.Keep(t, New(), volumetest.Open(t, path), "ext4-40tib")
	})
}
