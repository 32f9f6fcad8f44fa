package ntfs_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const head = 64 << 10 // of each omitted file that is kept

// TestOmit leaves out the content of the page files and nothing else, in root
// folders of one index block and of many.
func TestOmit(t *testing.T) {
	for _, c := range []struct {
		name           string
		cluster, files int
		page, hiber    string // the names they have there
		magic          string // of hiberfil.sys
		omitted        int
	}{
		{"few-files", 4096, 3, "pagefile.sys", "hiberfil.sys", "wake", 3},
		{"many-files", 4096, 2500, "PageFile.Sys", "HIBERFIL.SYS", "\x00\x00\x00\x00", 3},
		{"small-clusters", 512, 50, "pagefile.sys", "hiberfil.sys", "RSTR", 3},
		{"large-clusters", 131072, 3, "pagefile.sys", "hiberfil.sys", "WAKE", 3},
		{"other-names", 4096, 3, "pagefile.sys2", "hiberfil.sy", "hibr", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, 24*mib, "-c", strconv.Itoa(c.cluster))
			dir, unmount := mount(t, path)
			for i := range c.files {
				write(t, dir, "file "+strconv.Itoa(i*7919%10007), 10)
			}
			if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "sub/pagefile.sys", mib)
			write(t, dir, c.page, 3*mib)
			write(t, dir, "swapfile.sys", mib+1)
			if err := os.WriteFile(filepath.Join(dir, c.hiber), append([]byte(c.magic), make([]byte, 2*mib)...), 0o644); err != nil {
				t.Fatal(err)
			}
			unmount()
			r := volumetest.Open(t, path)
			v, used := volumetest.Check(t, ntfs.New(), r)
			volumetest.Keep(t, ntfs.New(), r, "omit-"+c.name)
			out := omitted(t, v)
			if len(out) != c.omitted {
				t.Errorf("%d files left out: %v", len(out), out)
			}
			names := map[string]string{"pagefile.sys": c.page, "hiberfil.sys": c.hiber, "swapfile.sys": "swapfile.sys"}
			for name, got := range out {
				if want := behindHead(t, path, names[name], int64(c.cluster)); !slices.Equal(got, want) {
					t.Errorf("%s: %v, want %v", name, got, want)
				}
				used = used.Subtract(got)
			}
			restored := volumetest.Restore(t, path, used)
			sound(t, restored)
			compareHeads(t, path, restored, c.page, c.hiber, "swapfile.sys")
			if digest(t, restored, c.page, c.hiber, "swapfile.sys") != digest(t, path, c.page, c.hiber, "swapfile.sys") {
				t.Error("the restored volume differs")
			}
		})
	}
}

// TestOmitCompressed keeps a page file that is compressed: Windows has none.
func TestOmitCompressed(t *testing.T) {
	path := mkntfs(t, 16*mib)
	dir, unmount := mount(t, path)
	volumetest.Tool(t, "setfattr", "-n", "system.ntfs_attrib_be", "-v", "0x00000800", dir)
	write(t, dir, "pagefile.sys", 4*mib)
	unmount()
	if out := volumetest.Tool(t, "ntfsinfo", "-F", "pagefile.sys", path); !strings.Contains(out, "COMPRESSED") {
		t.Errorf("pagefile.sys is not compressed:\n%s", out)
	}
	v, _ := volumetest.Check(t, ntfs.New(), volumetest.Open(t, path))
	if got := omitted(t, v); len(got) > 0 {
		t.Errorf("left out: %v", got)
	}
}

// omitted is what v leaves out, by name.
func omitted(t testing.TB, v volume.Volume) map[string]extent.List {
	t.Helper()
	list, err := v.(volume.Omitter).Omit(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]extent.List{}
	for _, o := range list {
		out[o.Name] = o.Extents
	}
	return out
}

// clusters is what ntfscluster says of a file.
func clusters(t testing.TB, path, name string) string {
	t.Helper()
	return volumetest.Tool(t, "ntfscluster", "-F", name, path)
}

var clusterRun = regexp.MustCompile(`(?m)^\s+(\d+)\s+(\d+)\s+(\d+)\s*$`)

// behindHead is where ntfscluster finds a file, without the part that is kept.
func behindHead(t testing.TB, path, name string, cluster int64) extent.List {
	t.Helper()
	var out []extent.Extent
	for _, m := range clusterRun.FindAllStringSubmatch(clusters(t, path, name), -1) {
		var run [3]int64
		for i := range run {
			run[i], _ = strconv.ParseInt(m[i+1], 10, 64)
		}
		skip := min(run[2], max(0, (head+cluster-1)/cluster-run[0]))
		out = append(out, extent.Extent{Start: (run[1] + skip) * cluster, Length: (run[2] - skip) * cluster})
	}
	return extent.Of(out...)
}

// compareHeads fails when the first bytes of a file were not restored.
func compareHeads(t testing.TB, path, restored string, names ...string) {
	t.Helper()
	for _, name := range names {
		want, got := readHead(t, path, name), readHead(t, restored, name)
		if len(want) != head || !bytes.Equal(got, want) {
			t.Errorf("the head of %s differs", name)
		}
	}
}

func readHead(t testing.TB, path, name string) []byte {
	t.Helper()
	out := volumetest.Tool(t, "ntfscat", path, name)
	return []byte(out[:min(len(out), head)])
}
