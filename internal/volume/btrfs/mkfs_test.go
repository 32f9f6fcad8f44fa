package btrfs

import (
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// mkfs makes a file system on a sparse file of size bytes.
func mkfs(t testing.TB, size int64, args ...string) string {
	t.Helper()
	return volumetest.Mkfs(t, size, slices.Concat([]string{"mkfs.btrfs", "-q", "-f"}, args, []string{"{}"})...)
}

func TestMkfs(t *testing.T) {
	tests := []struct {
		name string
		size int64
		args []string
	}{
		{"default", 128 << 20, nil},
		{"label", 128 << 20, []string{"-L", "täglich"}},
		{"single", 128 << 20, []string{"-m", "single"}},
		{"dup-data", 512 << 20, []string{"-d", "dup"}},
		{"mixed", 64 << 20, []string{"-M"}},
		{"mixed-dup", 256 << 20, []string{"-M", "-d", "dup", "-m", "dup"}},
		{"node-4k", 128 << 20, []string{"-n", "4k"}},
		{"node-8k", 128 << 20, []string{"-n", "8k"}},
		{"node-32k", 128 << 20, []string{"-n", "32k"}},
		{"node-64k", 128 << 20, []string{"-n", "64k"}},
		{"sector-16k", 128 << 20, []string{"-s", "16k"}},
		{"sector-64k", 128 << 20, []string{"-s", "64k", "-n", "64k"}},
		{"xxhash", 128 << 20, []string{"--csum", "xxhash"}},
		{"sha256", 128 << 20, []string{"--csum", "sha256"}},
		{"blake2", 128 << 20, []string{"--csum", "blake2"}},
		{"old", 128 << 20, []string{"-O", "^no-holes,^skinny-metadata,^extref", "-R", "^free-space-tree"}},
		{"quota", 128 << 20, []string{"-R", "quota"}},
		{"shorter-than-device", 192 << 20, []string{"-b", "128m"}},
		{"rootdir", 128 << 20, []string{"--rootdir", "."}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := mkfs(t, test.size, test.args...)
			used := judge(t, path)
			volumetest.Keep(t, New(), volumetest.Open(t, path), test.name)
			againstPartclone(t, path, used)
			restored := volumetest.Restore(t, path, used)
			volumetest.Tool(t, "btrfs", "check", "--readonly", "--check-data-csum", restored)
		})
	}
}

// TestAllSuperblocks has a device so long that every copy of the superblock exists.
func TestAllSuperblocks(t *testing.T) {
	path := mkfs(t, 512<<30)
	used := judge(t, path)
	againstPartclone(t, path, used)
	for _, off := range superOffsets {
		if got := used.Clip(extent.Extent{Start: off, Length: superSize}).Bytes(); got != superSize {
			t.Errorf("%d bytes of the superblock at %#x are in the map", got, off)
		}
	}
	v, _ := volumetest.Check(t, New(), volumetest.Open(t, path))
	if notes := v.Info().Notes; len(notes) != 0 {
		t.Errorf("notes %q", notes)
	}
	volumetest.Keep(t, New(), volumetest.Open(t, path), "all-superblocks")
}

func TestInfo(t *testing.T) {
	const id = "0d1f4ad4-7d0f-4c8f-9d0b-0c7d2f3b9f11"
	path := mkfs(t, 192<<20, "-b", "128m", "-L", "täglich", "-U", id)
	v, _ := volumetest.Check(t, New(), volumetest.Open(t, path))
	info := v.Info()
	if info.Kind != "btrfs" || info.Label != "täglich" || info.UUID != id || info.Size != 128<<20 || info.BlockSize != 4096 || info.Used != 147456 {
		t.Errorf("%+v", info)
	}
	if len(info.Notes) != 0 {
		t.Errorf("notes %q", info.Notes)
	}
}

// TestTuned covers what btrfstune changes: seeds, and file systems whose UUID
// is no longer the one in their tree blocks.
func TestTuned(t *testing.T) {
	tests := []struct {
		name  string
		args  []string
		notes int
	}{
		{"metadata-uuid", []string{"-f", "-m"}, 0},
		{"new-uuid", []string{"-f", "-u"}, 0},
		{"seed", []string{"-f", "-S", "1"}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := mkfs(t, 128<<20)
			volumetest.Tool(t, "btrfstune", append(test.args, path)...)
			used := judge(t, path)
			v, _ := volumetest.Check(t, New(), volumetest.Open(t, path))
			if notes := v.Info().Notes; len(notes) != test.notes {
				t.Errorf("notes %q", notes)
			}
			volumetest.Keep(t, New(), volumetest.Open(t, path), test.name)
			volumetest.Tool(t, "btrfs", "check", "--readonly", volumetest.Restore(t, path, used))
		})
	}
}
