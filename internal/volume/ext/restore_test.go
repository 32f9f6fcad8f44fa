package ext

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestRestore fills a volume by the kernel, leaves its free space in pieces, and
// holds the map against the other readers and against a restore onto garbage.
func TestRestore(t *testing.T) {
	for _, name := range []string{
		"ext2-1k", "ext2-all-backups", "ext3-1k", "ext4-default", "ext4-1k", "ext4-uninit-no-flex-1k",
		"ext4-meta-bg-1k", "ext4-bigalloc-1k", "ext4-small-groups", "ext4-inline", "ext4-journals",
	} {
		t.Run(name, func(t *testing.T) {
			path := named(t, name).make(t)
			dir, unmount := volumetest.Mount(t, path)
			fill(t, dir)
			want := volumetest.Digest(t, dir)
			unmount()

			_, used := judge(t, path)
			restored := volumetest.Restore(t, path, used)
			volumetest.Tool(t, "e2fsck", "-fn", restored)
			dir, _ = volumetest.Mount(t, restored, "ro")
			if got := volumetest.Digest(t, dir); got != want {
				t.Errorf("the restored tree differs: digest %s, want %s", got, want)
			}
		})
	}
}

// TestRestoreUnmounted is TestRestore for what not every kernel mounts, such as
// blocks beyond the page size: mke2fs fills the volume, debugfs makes the holes
// and reads it again.
func TestRestoreUnmounted(t *testing.T) {
	tree := t.TempDir()
	fill(t, tree)
	var holes strings.Builder
	for i := 1; i < 300; i += 6 {
		fmt.Fprintf(&holes, "rm /dir%d/file%d\n", i%7, i)
	}
	for _, name := range []string{"ext4-64k", "ext4-files"} {
		t.Run(name, func(t *testing.T) {
			v := named(t, name)
			v.size = 300 * mib
			path := v.make(t, "-d", tree)
			debugfs(t, path, holes.String())

			_, used := judge(t, path)
			restored := volumetest.Restore(t, path, used)
			volumetest.Tool(t, "e2fsck", "-fn", restored)
			volumetest.Tool(t, "diff", "-r", "--no-dereference", dump(t, path), dump(t, restored))
		})
	}
}

// debugfs runs commands, one a line, that change a volume.
func debugfs(t testing.TB, path, commands string) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "commands")
	must(t, os.WriteFile(script, []byte(commands), 0o600))
	volumetest.Tool(t, "debugfs", "-w", "-f", script, path)
}

// dump copies a volume's files into a new folder without mounting it.
func dump(t testing.TB, path string) string {
	t.Helper()
	dir := t.TempDir()
	volumetest.Tool(t, "debugfs", "-R", "rdump / "+dir, path)
	return dir
}

// fill makes some hundred files of up to 40 KiB, one with a hole, one deep path
// and one long link, then deletes every third file.
func fill(t testing.TB, dir string) {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	name := func(i int) string { return filepath.Join(dir, fmt.Sprintf("dir%d/file%d", i%7, i)) }
	for i := range 7 {
		must(t, os.Mkdir(filepath.Join(dir, fmt.Sprintf("dir%d", i)), 0o755))
	}
	for i := range 300 {
		content := bytes.Repeat([]byte{byte(i), byte(i >> 8), 'x'}, random.IntN(13000)+1)
		must(t, os.WriteFile(name(i), content, 0o644))
	}
	hole, err := os.Create(filepath.Join(dir, "hole"))
	must(t, err)
	_, err = hole.WriteAt([]byte("end"), 7<<20)
	must(t, err)
	must(t, hole.Close())
	must(t, os.Symlink(strings.Repeat("long/", 30), filepath.Join(dir, "link")))
	must(t, os.MkdirAll(filepath.Join(dir, strings.Repeat("deep/", 20)), 0o700))
	for i := 0; i < 300; i += 3 {
		must(t, os.Remove(name(i)))
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
