package xfs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

func TestOtherDevices(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.img")
	writeFile(t, other, nil)
	if err := os.Truncate(other, 100*mib); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"external-log": {"-l", "size=64m,logdev=" + other},
		"real-time":    {"-r", "rtdev=" + other},
	} {
		path := mkfs(t, 300*mib, append([]string{"mkfs.xfs", "-q", "-f"}, args...)...)
		volumetest.Refused(t, New(), volumetest.Open(t, path), volume.Unsupported)
		volumetest.Keep(t, New(), volumetest.Open(t, path), "refused-"+name)
	}
}

func TestDirtyLog(t *testing.T) {
	path := mkfs(t, 300*mib, "mkfs.xfs", "-q", "-f", "-l", "size=8m")
	dir, unmount := volumetest.Mount(t, path)
	defer unmount()
	writeFile(t, filepath.Join(dir, "file"), []byte("content"))
	volumetest.Tool(t, "sync", "-f", dir)
	dirty := snapshot(t, path)
	refusal := volumetest.Refused(t, New(), volumetest.Open(t, dirty), volume.NeedsReplay)
	if !refusal.Waivable {
		t.Error("not waivable")
	}
	volumetest.Keep(t, New(), volumetest.Open(t, dirty), "refused-dirty")
	unmount()
	volumetest.Check(t, New(), volumetest.Open(t, path))
	volumetest.Keep(t, New(), volumetest.Open(t, path), "v5-unmounted")
}

// Feature bits and states that no tool here makes.
func TestRefusedSuperblocks(t *testing.T) {
	tests := []struct {
		name    string
		fixture string
		field   int
		bytes   []byte
		reason  volume.Reason
	}{
		{"incompatible feature", "v5-plain", 216, []byte{0x80}, volume.Unknown},
		{"metadata directory", "v5-plain", 218, []byte{1}, volume.Unknown},
		{"read-only compatible feature", "v5-plain", 215, []byte{0x10}, volume.Unknown},
		{"shared version 4", "v4", 100, []byte{0xb6}, volume.Unknown},
		{"features2", "v4", 200, []byte{1}, volume.Unknown},
		{"needs repair", "v5-plain", 219, []byte{incompatNeedsRepair}, volume.Damaged},
		{"unfinished", "v4", 126, []byte{1}, volume.Damaged},
		{"unfinished", "v5-plain", 126, []byte{1}, volume.Damaged},
		{"real-time extents", "v5-plain", 31, []byte{1}, volume.Unsupported},
		{"no log", "v4", 48, make([]byte, 8), volume.Unsupported},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.fixture, func(t *testing.T) {
			s, x, _ := fixture(t, test.fixture, "superblock")
			s.Patch(int64(test.field), test.bytes)
			if test.fixture != "v4" {
				seal(t, s, x)
			}
			if refusal := volumetest.Refused(t, New(), s, test.reason); refusal.Waivable {
				t.Errorf("waivable: %+v", refusal)
			}
		})
	}
}

// Features that came after the tools here and do not concern free space.
func TestNewerFeatures(t *testing.T) {
	s, x, _ := fixture(t, "v5-plain", "superblock")
	s.Patch(219, []byte{knownIncompat &^ (incompatMetaUUID | incompatNeedsRepair)})
	seal(t, s, x)
	volumetest.Check(t, New(), s)
}

func TestTruncated(t *testing.T) {
	s, _, _ := fixture(t, "v4", "superblock")
	short, err := block.Section(s, 0, s.Size()-1)
	if err != nil {
		t.Fatal(err)
	}
	volumetest.Refused(t, New(), short, volume.Damaged)
}

func TestRecogniseOthers(t *testing.T) {
	for _, size := range []int64{0, 3, 511, 512, mib} {
		if ok, err := New().Recognise(volumetest.NewSparse(size)); ok || err != nil {
			t.Errorf("%d zero bytes: %v, %v", size, ok, err)
		}
	}
}
