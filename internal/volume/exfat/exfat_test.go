package exfat_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/exfat"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// variants are what mkfs.exfat can make. Those with keep become fixtures.
var variants = []struct {
	name       string
	size       int64
	sectorSize int
	args       []string
	label      string
	empty      bool // files would take too much space
	keep       bool
}{
	{name: "default", size: 64 * mib, label: "a label", keep: true},
	{name: "unicode-label", size: 16 * mib, label: "Größe 漢字"},
	{name: "no-label", size: 8 * mib, keep: true},
	{name: "clusters-512", size: 32 * mib, args: []string{"-c", "512"}, keep: true},
	{name: "clusters-4M", size: 300 * mib, args: []string{"-c", "4M", "-b", "1M"}},
	{name: "clusters-32M", size: 256 * mib, args: []string{"-c", "32M", "-b", "1M"}, empty: true},
	{name: "packed-bitmap", size: 256 * mib, args: []string{"--pack-bitmap"}, keep: true},
	{name: "unaligned", size: 64*mib + 7*512, args: []string{"-b", "4K"}},
	{name: "sectors-4096", size: 128 * mib, sectorSize: 4096, label: "4Kn", keep: true},
	{name: "large", size: 9 << 30, args: []string{"-c", "32K"}, label: "LARGE", keep: true},
}

func TestVariants(t *testing.T) {
	for _, c := range variants {
		t.Run(c.name, func(t *testing.T) {
			path := volumetest.Mkfs(t, c.size, "true")
			dev := attach(t, path, max(512, c.sectorSize))
			args := append(c.args, dev)
			if c.label != "" {
				args = append(args, "-L", c.label)
			}
			volumetest.Tool(t, "mkfs.exfat", args...)
			if !c.empty {
				populate(t, dev)
			}
			digest := digestOf(t, dev)
			detach(t, dev)

			v, used := volumetest.Check(t, exfat.New(), volumetest.Open(t, path))
			info := v.Info()
			if info.Label != c.label || len(info.Notes) > 0 {
				t.Errorf("label %q, notes %q; want %q, none", info.Label, info.Notes, c.label)
			}
			blkid := volumetest.Blkid(t, path)
			if got, want := [3]string{info.Kind, info.Label, info.UUID}, [3]string{blkid["TYPE"], blkid["LABEL"], blkid["UUID"]}; got != want {
				t.Errorf("type, label, UUID %q; blkid says %q", got, want)
			}
			if got, want := used.Bytes(), dumpedUsed(t, path, max(512, c.sectorSize)); got != want {
				t.Errorf("%d bytes are used; by dump.exfat's figures %d", got, want)
			}
			volumetest.AgainstPartclone(t, "exfat", path, used, 0)

			dev = attach(t, volumetest.Restore(t, path, used), max(512, c.sectorSize))
			volumetest.Tool(t, "fsck.exfat", "-n", dev)
			if digestOf(t, dev) != digest {
				t.Error("files of the restored volume differ from the original's")
			}
			if c.keep {
				volumetest.Keep(t, exfat.New(), volumetest.Open(t, path), c.name)
			}
		})
	}
}

// attach makes a loop device with the sector size, which mkfs.exfat goes by.
func attach(t *testing.T, path string, sectorSize int) string {
	t.Helper()
	dev := strings.TrimSpace(volumetest.Tool(t, "losetup", "-f", "--show", "-b", fmt.Sprint(sectorSize), path))
	t.Cleanup(func() { detach(t, dev) })
	return dev
}

// detach may be called again for a device that is already gone.
func detach(t *testing.T, dev string) {
	t.Helper()
	if strings.Contains(volumetest.Tool(t, "losetup", "-l", "-n", "-O", "NAME"), dev+"\n") {
		volumetest.Tool(t, "losetup", "-d", dev)
	}
}

// mount uses the FUSE driver (package exfat-fuse): kernels of test machines have none.
func mount(t *testing.T, dev string, do func(dir string)) {
	t.Helper()
	dir := t.TempDir()
	volumetest.Tool(t, "mount.exfat-fuse", dev, dir)
	defer volumetest.Tool(t, "umount", dir)
	do(dir)
}

// populate fills a part of a volume, deletes half of it and fills again, so that
// files are fragmented.
func populate(t *testing.T, dev string) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 300<<10)
	for i := range data {
		data[i] = byte(rng.Uint32())
	}
	mount(t, dev, func(dir string) {
		for round := range 3 {
			folder := filepath.Join(dir, fmt.Sprintf("folder %d", round))
			if err := os.Mkdir(folder, 0o755); err != nil {
				t.Fatal(err)
			}
			for i := range 10 {
				name := fmt.Sprintf("a file with a name that takes several entries %d", i)
				if err := os.WriteFile(filepath.Join(folder, name), data[:rng.IntN(len(data)/2)], 0o644); err != nil {
					t.Fatal(err)
				}
			}
			odd, _ := filepath.Glob(filepath.Join(dir, "folder *", "*[13579]"))
			for _, name := range odd {
				if round < 2 && os.Remove(name) != nil {
					t.Fatal("cannot remove", name)
				}
			}
		}
	})
}

func digestOf(t *testing.T, dev string) (digest string) {
	t.Helper()
	mount(t, dev, func(dir string) { digest = volumetest.Digest(t, dir) })
	return digest
}

// dumpedUsed is what lies in front of the cluster heap, and dump.exfat's count of clusters in use.
func dumpedUsed(t *testing.T, path string, sectorSize int) int64 {
	t.Helper()
	out := volumetest.Tool(t, "dump.exfat", path)
	field := func(name string) (n int64) {
		_, rest, _ := strings.Cut(out, name)
		if _, err := fmt.Sscan(rest, &n); err != nil {
			t.Fatalf("dump.exfat prints no %q: %v\n%s", name, err, out)
		}
		return n
	}
	heap := field("Cluster Heap Offset (sector offset):") * int64(sectorSize)
	return heap + (field("Total Clusters:")-field("Free Clusters:"))*field("Cluster size:")
}

func TestNotExFAT(t *testing.T) {
	for name, path := range map[string]string{
		"empty": volumetest.Mkfs(t, mib, "true"),
		"tiny":  volumetest.Mkfs(t, 100, "true"),
		"fat32": volumetest.Mkfs(t, 64*mib, "mkfs.fat", "-F", "32", "{}"),
		"ntfs":  volumetest.Mkfs(t, 8*mib, "mkfs.ntfs", "-q", "-F", "{}"),
		"ext4":  volumetest.Mkfs(t, 8*mib, "mkfs.ext4", "-q", "{}"),
	} {
		if ok, err := exfat.New().Recognise(volumetest.Open(t, path)); ok || err != nil {
			t.Errorf("%s: Recognise = %v, %v", name, ok, err)
		}
	}
}

func TestFixtures(t *testing.T) { volumetest.Fixtures(t, exfat.New()) }

func FuzzExFAT(f *testing.F) { volumetest.Fuzz(f, exfat.New()) }
