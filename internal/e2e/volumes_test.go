package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// kind is a way to make a volume with the real tools, and to judge it.
type kind struct {
	name string
	size int64 // of the image file, MiB

	// make makes the volume in a sparse file for a disk with the given sector size.
	make func(t *testing.T, path string, sector int, rng *rand.Rand)
	// change adds and removes content; nil: it stays as it was made.
	change func(t *testing.T, path string, rng *rand.Rand)
	// judge fails the test when a tool finds something wrong; nil: no tool can.
	judge func(t *testing.T, path string)
	// mount makes the files visible for a digest; nil: no driver.
	mount func(t testing.TB, path string) (dir string, unmount func())
}

// kinds is every kind of volume a random disk may hold.
func kinds() []kind {
	return []kind{
		{name: "ext4", size: 32, make: mkext4, change: grow(mountKernel, true), judge: tool("e2fsck", "-fn", "{}"), mount: mountKernel},
		{name: "xfs", size: 300, make: mkxfs, change: grow(mountXFS, true), judge: tool("xfs_repair", "-n", "{}"), mount: mountXFS},
		{name: "btrfs", size: 128, make: mkbtrfs, change: grow(mountKernel, true), judge: tool("btrfs", "check", "{}"), mount: mountKernel},
		{name: "ntfs", size: 24, make: mkntfs, change: grow(mountNTFS, false), judge: tool("ntfsfix", "-n", "{}"), mount: mountNTFS},
		{name: "fat16", size: 16, make: mkfat("16"), change: growFAT, judge: tool("fsck.fat", "-n", "{}")},
		{name: "fat32", size: 40, make: mkfat("32"), change: growFAT, judge: tool("fsck.fat", "-n", "{}")},
		{name: "exfat", size: 16, make: mkexfat, change: grow(mountExFAT, false), judge: tool("fsck.exfat", "-n", "{}"), mount: mountExFAT},
		{name: "swap", size: 8, make: mkswap, judge: tool("swaplabel", "{}")},
		{name: "lvm", size: 32, make: mklvm, change: changeInside, judge: judgeInside},
		{name: "unknown", size: 6, make: mkunknown, change: scribble},
		{name: "empty", size: 3, make: func(*testing.T, string, int, *rand.Rand) {}},
	}
}

// tool runs a program on the volume, which stands for "{}".
func tool(name string, args ...string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		t.Helper()
		full := make([]string, len(args))
		for i, a := range args {
			full[i] = a
			if a == "{}" {
				full[i] = path
			}
		}
		volumetest.Tool(t, name, full...)
	}
}

func mkext4(t *testing.T, path string, _ int, rng *rand.Rand) {
	options := [][]string{{}, {"-b", "1024"}, {"-t", "ext3"}, {"-t", "ext2"}, {"-O", "bigalloc"}, {"-O", "^metadata_csum,^flex_bg"}}
	args := append([]string{"-q", "-F", "-L", "label"}, options[rng.IntN(len(options))]...)
	volumetest.Tool(t, "mkfs.ext4", append(args, path)...)
}

func mkxfs(t *testing.T, path string, sector int, rng *rand.Rand) {
	options := [][]string{{}, {"-m", "rmapbt=1"}, {"-i", "size=1024"}}
	args := append([]string{"-q", "-f", "-s", fmt.Sprintf("size=%d", sector)}, options[rng.IntN(len(options))]...)
	volumetest.Tool(t, "mkfs.xfs", append(args, path)...)
}

func mkbtrfs(t *testing.T, path string, _ int, rng *rand.Rand) {
	options := [][]string{{}, {"--mixed"}, {"-m", "single"}, {"--csum", "xxhash"}}
	volumetest.Tool(t, "mkfs.btrfs", append([]string{"-q", "-f", path}, options[rng.IntN(len(options))]...)...)
}

func mkntfs(t *testing.T, path string, sector int, rng *rand.Rand) {
	cluster := []int{4096, 8192, 65536}[rng.IntN(3)]
	volumetest.Tool(t, "mkfs.ntfs", "-Q", "-q", "-F", "-s", strconv.Itoa(sector), "-c", strconv.Itoa(cluster), path)
}

func mkfat(bits string) func(*testing.T, string, int, *rand.Rand) {
	return func(t *testing.T, path string, sector int, _ *rand.Rand) {
		if sector > 512 {
			bits = "16" // FAT32 begins at 256 MiB
		}
		volumetest.Tool(t, "mkfs.fat", "-F", bits, "-s", "1", "-S", strconv.Itoa(sector), path)
	}
}

func mkexfat(t *testing.T, path string, sector int, _ *rand.Rand) {
	onLoop(t, path, sector, func(dev string) { volumetest.Tool(t, "mkfs.exfat", dev) })
}

func mkswap(t *testing.T, path string, _ int, _ *rand.Rand) {
	volumetest.Tool(t, "mkswap", "-L", "pages", path)
}

// mkunknown is data that no format recognises, with holes.
func mkunknown(t *testing.T, path string, _ int, rng *rand.Rand) {
	for range 6 {
		scribble(t, path, rng)
	}
}

// scribble overwrites a random stretch.
func scribble(t *testing.T, path string, rng *rand.Rand) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	p := random(rng, 1+rng.IntN(300_000))
	if _, err := f.WriteAt(p, rng.Int64N(info.Size()-int64(len(p)))); err != nil {
		t.Fatal(err)
	}
}

// random returns n bytes, half of them in compressible runs.
func random(rng *rand.Rand, n int) []byte {
	p := make([]byte, n)
	for i := 0; i < n; {
		run := min(1+rng.IntN(5000), n-i)
		c, noise := byte(rng.Uint32()), rng.IntN(2) == 0
		for ; run > 0; run-- {
			p[i] = c
			if noise {
				p[i] = byte(rng.Uint32())
			}
			i++
		}
	}
	return p
}

// growFAT copies a new folder of files in by mtools.
func growFAT(t *testing.T, path string, rng *rand.Rand) {
	dir := t.TempDir()
	plant(t, dir, rng, false)
	folders, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	volumetest.Tool(t, "mcopy", append(append([]string{"-i", path, "-s"}, folders...), "::/")...)
}
