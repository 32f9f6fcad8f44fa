package xfs

import (
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const (
	mib = 1 << 20
	tib = 1 << 40
)

// variant is one way to run mkfs.xfs.
type variant struct {
	name string
	size int64 // bytes
	args string
	// unmountable variants are not for every kernel: version 4 is an option, and
	// blocks larger than a page came with 6.12. Their content is from a prototype file.
	unmountable bool
	files       int // of that prototype
	// levels the deepest free-space tree has at least.
	levels uint32
}

var variants = []variant{
	{name: "v5", size: 300 * mib, args: "-L golden -m uuid=0b0f9a9a-6d5c-4a52-9a51-6d2f3f0b7c11"},
	{name: "v5-plain", size: 300 * mib, args: "-m finobt=0,reflink=0,bigtime=0,inobtcount=0 -i sparse=0 -l size=8m", levels: 2},
	{name: "v5-rmapbt", size: 300 * mib, args: "-m rmapbt=1 -i nrext64=1 -l size=16m"},
	{name: "v5-block1k", size: 300 * mib, args: "-b size=1024 -m rmapbt=1 -l size=8m", levels: 3},
	{name: "v5-block64k", size: 512 * mib, args: "-b size=65536 -l size=48m", unmountable: true, files: 300},
	{name: "v5-sector4k", size: 300 * mib, args: "-s size=4096 -m rmapbt=1 -l size=16m"},
	{name: "v5-sector32k", size: 512 * mib, args: "-s size=32768 -b size=32768", unmountable: true, files: 300},
	{name: "v5-many-groups", size: 300 * mib, args: "-d agcount=18 -l size=8m"},
	{name: "v5-short-last-group", size: 300 * mib, args: "-d agsize=88m -l size=8m,agnum=0"},
	{name: "v5-stripes", size: 512 * mib, args: "-d su=64k,sw=4 -l su=256k,size=20m"},
	{name: "v5-directories64k", size: 300 * mib, args: "-n size=65536 -i size=2048 -l size=8m,agnum=3,su=4k"},
	{name: "v5-8t", size: 8 << 40, args: "-l size=16m"},
	{name: "v4", size: 300 * mib, args: "-m crc=0 -L old -l size=8m", unmountable: true, files: 1500},
	{name: "v4-block512", size: 300 * mib, args: "-m crc=0 -b size=512 -l size=8m", unmountable: true, files: 6000, levels: 3},
	{name: "v4-log1", size: 300 * mib, args: "-m crc=0 -l version=1,lazy-count=0,size=8m -i attr=1,projid32bit=0 -n ftype=0", unmountable: true, files: 1500},
	{name: "v4-sector4k", size: 300 * mib, args: "-m crc=0 -s size=4096 -n version=ci -l su=32k,size=16m", unmountable: true, files: 1500},
	{name: "v4-block64k", size: 512 * mib, args: "-m crc=0 -b size=65536 -l size=64m", unmountable: true, files: 300},
}

func TestVariants(t *testing.T) {
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) {
			path := v.make(t)
			want := ""
			if !v.unmountable {
				volumetest.Keep(t, New(), volumetest.Open(t, path), v.name)
				want = populate(t, path, 200)
			} else {
				fragment(t, path)
				volumetest.Keep(t, New(), volumetest.Open(t, path), v.name)
			}
			used := v.checkMap(t, path)
			if v.size < tib { // garbage in the rest would fill the disk
				checkRestore(t, path, used, want)
			}
		})
	}
}

// make makes the file system; one that cannot be mounted gets its files now.
func (v variant) make(t *testing.T) string {
	t.Helper()
	command := append([]string{"mkfs.xfs", "-q", "-f"}, strings.Fields(v.args)...)
	if v.unmountable {
		command = append(command, "-p", prototype(t, v.files))
	}
	return mkfs(t, v.size, command...)
}

// mkfs lets mkfs.xfs make logs below 64 MiB, by setting what xfstests sets.
func mkfs(t *testing.T, size int64, command ...string) string {
	t.Helper()
	for _, name := range []string{"TEST_DIR", "TEST_DEV", "QA_CHECK_FS"} {
		t.Setenv(name, "1")
	}
	return volumetest.Mkfs(t, size, append(command, "{}")...)
}

// checkMap holds the used map of an image against xfs_db's and partclone's.
// Partclone, which leaves out the blocks of the free lists, is too slow for the
// largest ones.
func (v variant) checkMap(t *testing.T, path string) extent.List {
	t.Helper()
	volume, used := volumetest.Check(t, New(), volumetest.Open(t, path))
	inFreeLists := againstXFSDB(t, path, used)
	if v.size < tib {
		volumetest.AgainstPartclone(t, "xfs", path, used, inFreeLists)
	}
	if levels := deepest(t, volume.(*xfsVolume)); levels < v.levels {
		t.Errorf("deepest free-space tree has %d levels, the test is meant for %d", levels, v.levels)
	}
	return used
}

// checkRestore restores an image and has xfs_repair and, when the digest of its
// content is known, the kernel judge the copy.
func checkRestore(t *testing.T, path string, used extent.List, digest string) {
	t.Helper()
	restored := volumetest.Restore(t, path, used)
	volumetest.Tool(t, "xfs_repair", "-n", "-f", restored)
	if digest == "" {
		return
	}
	dir, unmount := volumetest.Mount(t, restored)
	defer unmount()
	if got := volumetest.Digest(t, dir); got != digest {
		t.Errorf("content of the restored file system: digest %s, want %s", got, digest)
	}
}

func TestInfo(t *testing.T) {
	v := variants[0]
	volume, used := volumetest.Check(t, New(), volumetest.Open(t, v.make(t)))
	info := volume.Info()
	if info.Kind != "xfs" || info.Label != "golden" || info.UUID != "0b0f9a9a-6d5c-4a52-9a51-6d2f3f0b7c11" ||
		info.Size != v.size || info.BlockSize != 4096 {
		t.Errorf("Info %+v", info)
	}
	// The counter takes what the free lists hold for free.
	if info.Used <= 0 || info.Used > used.Bytes() || used.Bytes()-info.Used > mib {
		t.Errorf("%d bytes used by the counter, %d in the map", info.Used, used.Bytes())
	}
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, New()) }

func FuzzXFS(f *testing.F) { volumetest.Fuzz(f, New()) }
