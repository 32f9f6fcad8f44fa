package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block/loop"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestFitSectors puts a disk with sectors of 512 bytes onto one with 4096, and the
// other way round. What cannot be is refused by its name.
func TestFitSectors(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the program")
	}
	ingot := newProgram(t)
	for _, sectors := range [][2]int{{512, 4096}, {4096, 512}} {
		for _, kind := range []string{"ext4", "xfs", "btrfs", "ntfs"} {
			t.Run(fmt.Sprintf("%s-%d-%d", kind, sectors[0], sectors[1]), func(t *testing.T) {
				fitSectors(t, ingot, kind, sectors[0], sectors[1])
			})
		}
	}
}

func fitSectors(t *testing.T, ingot program, kind string, from, to int) {
	fat, volume := blankFile(t, 300*mib), blankFile(t, 320*mib)
	volumetest.Tool(t, "mkfs.fat", "-F", "32", "-s", "1", "-S", fmt.Sprint(from), "-n", "EFI", "-i", "cafe0001", fat)
	loader := filepath.Join(t.TempDir(), "loader")
	must(t, os.WriteFile(loader, []byte(strings.Repeat("loader ", 5000)), 0o600))
	volumetest.Tool(t, "mmd", "-i", fat, "::/EFI", "::/EFI/test")
	volumetest.Tool(t, "mcopy", "-i", fat, loader, "::/EFI/test/loader.efi")
	mount := func() (string, func()) { return mountStretch(t, volume, 0, 0) }
	switch kind {
	case "ntfs":
		volumetest.Tool(t, "mkfs.ntfs", "-Q", "-q", "-F", "-s", fmt.Sprint(from), volume)
		mount = func() (string, func()) { return mountNTFS(t, volume) }
	case "xfs":
		volumetest.Tool(t, "mkfs.xfs", "-q", "-s", fmt.Sprintf("size=%d", from), volume)
		mount = func() (string, func()) { return mountSectors(t, volume, 0, 0, from) }
	case "ext4":
		volumetest.Tool(t, "mkfs.ext4", "-q", "-b", "4096", volume)
	default:
		volumetest.Tool(t, "mkfs.btrfs", "-q", volume)
	}
	dir, unmount := mount()
	must(t, os.MkdirAll(filepath.Join(dir, "a/b"), 0o750))
	must(t, os.WriteFile(filepath.Join(dir, "a/b/file"), []byte(strings.Repeat("content ", 50_000)), 0o640))
	tree := treeOf(t, dir)
	unmount()
	unit := int64(from)
	script := fmt.Sprintf("label: gpt\nunit: sectors\nstart=%d, size=%d, type=uefi\nstart=%d, size=%d\n", mib/unit, 300*mib/unit, 301*mib/unit, 320*mib/unit)
	disk := assemble(t, 630*mib, from, script, map[int64]string{1 * mib: fat, 301 * mib: volume})
	source, detach := attach(t, disk, from)
	name := fmt.Sprintf("%s-%d", kind, from)
	ingot.run(t, "capture", source, name, "--quiet")
	detach()
	released(t, disk)

	file := blankFile(t, 700*mib)
	target, detach := attach(t, file, to)
	if kind == "ntfs" {
		if _, said, err := ingot.try(t, "deploy", name, target, "--yes"); err == nil || !strings.Contains(said, "partition 2 (ntfs) cannot land on this disk") {
			t.Errorf("%v: %s", err, said)
		}
		return
	}
	ingot.deploy(t, name, target)
	judgeTable(t, target)
	now := partitions(t, target)
	detach()
	released(t, file)
	back := filepath.Join(t.TempDir(), "loader")
	fat = cut(t, file, now[1])
	volumetest.Tool(t, "fsck.fat", "-n", fat)
	volumetest.Tool(t, "mcopy", "-i", fat, "::/EFI/test/loader.efi", back)
	volumetest.Tool(t, "cmp", loader, back)
	dir, unmount = mountSectors(t, file, now[2].Start, now[2].Size, to)
	defer unmount()
	sameTrees(t, tree, treeOf(t, dir), nil)
}

// mountSectors mounts a volume on a device with the given sector size.
func mountSectors(t testing.TB, path string, start, size int64, sector int) (dir string, unmount func()) {
	t.Helper()
	return mountLoop(t, path, loop.Options{Offset: start, Size: size, SectorSize: sector})
}
