package e2e

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestFitNTFS puts disks with NTFS volumes onto smaller and bigger ones. wimlib,
// which reads NTFS without a mount, sees no difference: names, short names,
// attributes, times, security descriptors, streams, reparse points.
func TestFitNTFS(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the program")
	}
	ingot := newProgram(t)
	for _, layout := range []struct {
		name, script string
		volumes      map[int64]int64 // place → size of those with NTFS, bytes
		data         int             // number of the one with files
		size         int64
		smaller      int64
	}{
		{"data", "label: gpt\nstart=1MiB, size=200MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n",
			map[int64]int64{1 * mib: 200 * mib}, 1, 210 * mib, 90 * mib},
		{"windows", "label: gpt\nstart=1MiB, size=16MiB, type=uefi\n" +
			"start=17MiB, size=16MiB, type=E3C9E316-0B5C-4DB8-817D-F92DF00215AE\n" +
			"start=33MiB, size=200MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7\n" +
			"start=233MiB, size=20MiB, type=DE94BBA4-06D1-4D40-A16A-BFD50179D6AC\n",
			map[int64]int64{33 * mib: 200 * mib, 233 * mib: 20 * mib}, 3, 260 * mib, 150 * mib},
	} {
		t.Run(layout.name, func(t *testing.T) {
			volumes := map[int64]string{}
			for at, size := range layout.volumes {
				volumes[at] = makeNTFS(t, at, size)
			}
			disk := assemble(t, layout.size, 512, layout.script, volumes)
			want := wimOf(t, disk, layout.data)
			for _, sign := range []string{"a stream", "SHORT~1", "Reparse", "FILE_ATTRIBUTE_HIDDEN", "Security Descriptor"} {
				if !strings.Contains(want, sign) {
					t.Errorf("wimlib says nothing of %q", sign)
				}
			}
			ingot.run(t, "capture", disk, layout.name, "--quiet")
			for what, size := range map[string]int64{"smaller": layout.smaller, "bigger": 500 * mib} {
				t.Run(what, func(t *testing.T) {
					target := blankFile(t, size)
					ingot.deploy(t, layout.name, target, "--readback")
					judgeTable(t, target)
					sameLines(t, want, wimOf(t, target, layout.data))
					old, now := partitions(t, disk), partitions(t, target)
					if len(old) != len(now) || (now[layout.data].Size < old[layout.data].Size) != (what == "smaller") {
						t.Errorf("the partitions were %v and are %v", old, now)
					}
					for n, p := range now {
						if n >= layout.data {
							judgeNTFS(t, target, p)
						}
					}
				})
			}
			t.Run("clone", func(t *testing.T) {
				target := blankFile(t, layout.smaller)
				ingot.run(t, "clone", disk, target, "--yes")
				sameLines(t, want, wimOf(t, target, layout.data))
			})
		})
	}
}

// makeNTFS makes a volume for a place on a disk, with much that only NTFS has.
func makeNTFS(t testing.TB, at, size int64) string {
	t.Helper()
	volume := blankFile(t, size)
	volumetest.Tool(t, "mkfs.ntfs", "-Q", "-q", "-F", "-s", "512", "-p", fmt.Sprint(at/512), "-H", "255", "-S", "63", volume)
	dir, unmount := volumetest.MountFUSE(t, "ntfs-3g", "-o", "no_detach,streams_interface=windows", volume)
	defer unmount()
	path := func(name string) string { return filepath.Join(dir, name) }
	for i := range 60 {
		must(t, os.MkdirAll(path(fmt.Sprintf("folder %d/deep", i%5)), 0o755))
		must(t, os.WriteFile(path(fmt.Sprintf("folder %d/deep/file %d", i%5, i)), []byte(strings.Repeat(fmt.Sprint(i), 1+i*i*7)), 0o600))
	}
	must(t, os.WriteFile(path("folder 0/deep/file 0:a stream"), []byte(strings.Repeat("stream ", 9000)), 0o600))
	must(t, os.WriteFile(path("folder 1:on a folder"), []byte("yes"), 0o600))
	must(t, os.Link(path("folder 0/deep/file 5"), path("hard link")))
	must(t, os.Mkdir(path("junction"), 0o755))
	setattr(t, path("junction"), "system.ntfs_reparse_data", junctionToWindows)
	setattr(t, path("folder 2"), "system.ntfs_dos_name", hex.EncodeToString([]byte("SHORT~1")))
	setattr(t, path("folder 2/deep"), "system.ntfs_attrib_be", "00000006") // hidden, system
	acl := volumetest.Tool(t, "getfattr", "--only-values", "--absolute-names", "-n", "system.ntfs_acl", path("folder 3"))
	changed := []byte(acl)
	const mask = 0x34 + 8 + 4 // of the first entry: behind owner and group, [MS-DTYP] 2.4.6
	changed[mask] ^= 0x40
	setattr(t, path("folder 3/deep"), "system.ntfs_acl", hex.EncodeToString(changed))
	return volume
}

// junctionToWindows is a mount point for \??\C:\Windows by [MS-FSCC] 2.1.2.5.
const junctionToWindows = "030000a0" + "3c000000" + "0000" + "1c00" + "1e00" + "1400" +
	"5c003f003f005c0043003a005c00570069006e0064006f0077007300" + "0000" +
	"43003a005c00570069006e0064006f0077007300" + "0000"

func setattr(t testing.TB, path, name, hexValue string) {
	t.Helper()
	volumetest.Tool(t, "setfattr", "-h", "-n", name, "-v", "0x"+hexValue, path)
}

// wimOf is what wimlib sees of a partition with NTFS, but for where the data came
// to lie in its own file.
func wimOf(t testing.TB, disk string, number int) string {
	t.Helper()
	wim := filepath.Join(t.TempDir(), "volume.wim")
	volumetest.Tool(t, "wimlib-imagex", "capture", cut(t, disk, partitions(t, disk)[number]), wim, "--quiet", "--compress=none")
	var b strings.Builder
	for line := range strings.Lines(volumetest.Tool(t, "wimlib-imagex", "dir", wim, "1", "--detailed")) {
		if !strings.HasPrefix(line, "Offset in WIM") && !strings.HasPrefix(line, "Link Group ID") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// judgeNTFS has others look at a volume, and at what its boot sector says of its place.
func judgeNTFS(t testing.TB, disk string, p partition) {
	t.Helper()
	volume := cut(t, disk, p)
	volumetest.Tool(t, "ntfsfix", "-n", volume)
	volumetest.Tool(t, "ntfsinfo", "-f", "-m", volume) // ntfsresize has Windows look at the volume, too
	boot := make([]byte, 32)
	_, err := volumetest.Open(t, volume).ReadAt(boot, 0)
	must(t, err)
	hidden := int64(boot[0x1c]) | int64(boot[0x1d])<<8 | int64(boot[0x1e])<<16 | int64(boot[0x1f])<<24
	if hidden != p.Start/512 {
		t.Errorf("the boot sector says that the volume begins at sector %d, and it begins at %d", hidden, p.Start/512)
	}
}

// sameLines fails the test at the first line that differs.
func sameLines(t testing.TB, want, got string) {
	t.Helper()
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			from := max(0, i-12)
			t.Fatalf("line %d is %.300q, want %.300q; before it:\n%.1500s", i, b[i], a[i], strings.Join(a[from:i], "\n"))
		}
	}
	if len(a) != len(b) {
		t.Errorf("%d lines, want %d", len(b), len(a))
	}
}
