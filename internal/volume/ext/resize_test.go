package ext

import (
	"fmt"
	"os"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestResized has the layouts that only resize2fs makes: descriptors in the
// room kept for growth, flex groups cut short, meta groups behind a plain table.
func TestResized(t *testing.T) {
	for _, test := range []struct {
		variant string
		to      int64
	}{
		{"ext4-default", 5 * gib},
		{"ext4-default", 200 * mib},
		{"ext4-uninit-no-flex-1k", gib},
		{"ext4-uninit-64bit", 9 * gib},
		{"ext4-uninit-64bit", 300 * mib},
		{"ext4-meta-bg-1k", gib},
		{"ext4-no-resize-inode", 40 * gib},
		{"ext4-sparse-super2", 6 * gib},
		{"ext3-1k", 40 * mib},
	} {
		t.Run(fmt.Sprintf("%s to %d MiB", test.variant, test.to/mib), func(t *testing.T) {
			path := named(t, test.variant).make(t)
			volumetest.Tool(t, "e2fsck", "-fy", path)
			if info, err := os.Stat(path); err != nil || info.Size() < test.to {
				must(t, os.Truncate(path, test.to))
			}
			volumetest.Tool(t, "resize2fs", path, fmt.Sprintf("%dK", test.to>>10))
			judge(t, path)
			volumetest.Tool(t, "e2fsck", "-fn", path)
		})
	}
}
