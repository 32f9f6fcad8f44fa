package ntfs_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// patchVolume overwrites bytes of $VOLUME_INFORMATION, in $MFT and in $MFTMirr.
func patchVolume(t testing.TB, path string, at int64, data []byte) {
	t.Helper()
	off := place(t, path, ntfs.RecordVolume, ntfs.AttrVolumeInfo) + at
	mirror := place(t, path, ntfs.RecordMirror, ntfs.AttrData) - placeRecord(t, path, ntfs.RecordMFT)
	patch(t, path, off, data)
	patch(t, path, off+mirror, data)
}

// TestVolumeFlags patches what $Volume says.
func TestVolumeFlags(t *testing.T) {
	for _, c := range []struct {
		name   string
		at     int64
		data   []byte
		reason volume.Reason // "" for clean
	}{
		{"dirty", 0xA, []byte{0x01, 0x00}, volume.Dirty},
		{"chkdsk-running", 0xA, []byte{0x00, 0x40}, volume.Dirty},
		{"modified-by-chkdsk", 0xA, []byte{0x80, 0x80}, ""},
		{"nt4", 0x8, []byte{1, 2}, ""},
		{"windows-2000", 0x8, []byte{3, 0}, ""},
		{"version-4", 0x8, []byte{4, 0}, volume.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := mkntfs(t, 8*mib)
			patchVolume(t, path, c.at, c.data)
			r := volumetest.Open(t, path)
			if c.reason == "" {
				volumetest.Check(t, ntfs.New(), r)
				return
			}
			volumetest.Refused(t, ntfs.New(), r, c.reason)
			volumetest.Keep(t, ntfs.New(), r, "refused-"+c.name)
		})
	}
}

// TestHibernation writes the headers of hiberfil.sys that Windows does.
func TestHibernation(t *testing.T) {
	for _, c := range []struct {
		name, magic string
		size        int
		verdict     int // of ntfs-3g; it does not know HORM
		hibernated  bool
	}{
		{"windows-7", "hibr", 2 * mib, probeHibernated, true},
		{"windows-10", "HIBR", 2 * mib, probeHibernated, true},
		{"resume-many", "HORM", 2 * mib, 0, true},
		{"resumed", "wake", 2 * mib, 0, false},
		{"restored", "RSTR", 2 * mib, 0, false},
		{"never-used", "\x00\x00\x00\x00", 2 * mib, 0, false},
		{"too-short", "", 1000, probeHibernated, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := mkntfs(t, 16*mib)
			dir, unmount := mount(t, path)
			if err := os.WriteFile(filepath.Join(dir, "hiberfil.sys"), append([]byte(c.magic), make([]byte, c.size)...), 0o644); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "pagefile.sys", mib)
			unmount()
			if verdict := probe(t, path); verdict != c.verdict {
				t.Errorf("ntfs-3g.probe: exit code %d, want %d", verdict, c.verdict)
			}
			r := volumetest.Open(t, path)
			if !c.hibernated {
				volumetest.Check(t, ntfs.New(), r)
				return
			}
			if refusal := volumetest.Refused(t, ntfs.New(), r, volume.Hibernated); !refusal.Waivable || !strings.Contains(refusal.Do, "powercfg") {
				t.Errorf("%+v", refusal)
			}
			volumetest.Keep(t, ntfs.New(), r, "refused-hibernated-"+c.name)
			v, err := ntfs.New().Open(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			if out := omitted(t, v); len(out) != 1 || out["pagefile.sys"] == nil {
				t.Errorf("left out of a hibernated volume: %v", out)
			}
		})
	}
}
