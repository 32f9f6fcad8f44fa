package ntfs_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/ntfs"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// patch overwrites bytes of an image file.
func patch(t testing.TB, path string, off int64, data []byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(data, off); err != nil {
		t.Fatal(err)
	}
}

// place is where the content of an attribute lies.
func place(t testing.TB, path string, record int64, kind uint32) int64 {
	t.Helper()
	off, err := ntfs.Place(volumetest.Open(t, path), record, kind)
	if err != nil {
		t.Fatal(err)
	}
	return off
}

func placeRecord(t testing.TB, path string, record int64) int64 {
	t.Helper()
	off, err := ntfs.PlaceRecord(volumetest.Open(t, path), record)
	if err != nil {
		t.Fatal(err)
	}
	return off
}

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

// restartPage makes a restart page of $LogFile as Windows does: one log client,
// named NTFS.
func restartPage(version uint16, lsn uint64, client, flags uint16) []byte {
	const page, area = 4096, 0x30
	le := binary.LittleEndian
	p := make([]byte, page)
	copy(p, "RSTR")
	le.PutUint16(p[4:], 0x1E)
	le.PutUint16(p[6:], 1+page/512)
	le.PutUint32(p[0x10:], page)
	le.PutUint32(p[0x14:], page)
	le.PutUint16(p[0x18:], area)
	le.PutUint16(p[0x1A:], version&0xFF)
	le.PutUint16(p[0x1C:], version>>8)
	free := uint16(0xFFFF)
	if client == 0xFFFF {
		free = 0
	}
	le.PutUint64(p[area:], lsn)
	le.PutUint16(p[area+8:], 1)
	le.PutUint16(p[area+0xA:], free)
	le.PutUint16(p[area+0xC:], client)
	le.PutUint16(p[area+0xE:], flags)
	le.PutUint32(p[area+0x10:], 67-21) // bits of a sequence number in a file of 2^20 bytes
	le.PutUint16(p[area+0x14:], 0xE0)
	le.PutUint16(p[area+0x16:], 0x40)
	le.PutUint64(p[area+0x18:], mib)
	le.PutUint16(p[area+0x24:], 0x30)
	le.PutUint16(p[area+0x26:], 0x40)
	record := p[area+0x40:]
	le.PutUint16(record[0x10:], 0xFFFF)
	le.PutUint16(record[0x12:], 0xFFFF)
	le.PutUint32(record[0x1C:], 8)
	for i, u := range utf16.Encode([]rune("NTFS")) {
		le.PutUint16(record[0x20+2*i:], u)
	}
	const number = 7
	le.PutUint16(p[0x1E:], number)
	for i := 1; i <= page/512; i++ {
		copy(p[0x1E+2*i:], p[512*i-2:512*i])
		le.PutUint16(p[512*i-2:], number)
	}
	return p
}

func torn(page []byte) []byte {
	page[1022]++
	return page
}

func marked(page []byte) []byte {
	copy(page, "CHKD")
	return page
}

// TestLog writes the restart pages of closed and of open logs.
func TestLog(t *testing.T) {
	const none, isClean = 0xFFFF, 2
	for _, c := range []struct {
		name          string
		first, second []byte
		verdict       int // of ntfs-3g
		refused       bool
	}{
		{"windows-closed", restartPage(0x101, 9, 0, isClean), restartPage(0x101, 9, 0, isClean), 0, false},
		{"no-client", restartPage(0x101, 9, none, 0), restartPage(0x101, 8, none, 0), 0, false},
		{"unclean", restartPage(0x101, 9, 0, 0), restartPage(0x101, 9, 0, 0), probeUnclean, true},
		{"second-page-is-later-and-unclean", restartPage(0x101, 8, 0, isClean), restartPage(0x101, 9, 0, 0), probeUnclean, true},
		{"second-page-is-later-and-clean", restartPage(0x101, 8, 0, 0), restartPage(0x101, 9, 0, isClean), 0, false},
		{"second-page-is-torn", restartPage(0x101, 8, 0, isClean), torn(restartPage(0x101, 9, 0, 0)), probeUnclean, true},
		{"both-pages-are-torn", torn(restartPage(0x101, 9, 0, isClean)), torn(restartPage(0x101, 9, 0, isClean)), probeUnclean, true},
		{"after-chkdsk", marked(restartPage(0x101, 9, 0, isClean)), marked(restartPage(0x101, 8, 0, isClean)), 0, false},
		{"windows-8-mounted", restartPage(0x200, 9, 0, isClean), restartPage(0x200, 8, 0, isClean), probeHibernated, true},
		{"zeroed", make([]byte, 4096), make([]byte, 4096), probeUnclean, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, 16*mib)
			log := place(t, path, ntfs.RecordLogFile, ntfs.AttrData)
			patch(t, path, log, c.first)
			patch(t, path, log+4096, c.second)
			if c.name == "zeroed" {
				patch(t, path, log, make([]byte, 128<<10))
			}
			if verdict := probe(t, path); verdict != c.verdict {
				t.Errorf("ntfs-3g.probe: exit code %d, want %d", verdict, c.verdict)
			}
			r := volumetest.Open(t, path)
			if !c.refused {
				volumetest.Check(t, ntfs.New(), r)
				return
			}
			if refusal := volumetest.Refused(t, ntfs.New(), r, volume.NeedsReplay); !refusal.Waivable {
				t.Errorf("%+v", refusal)
			}
			volumetest.Keep(t, ntfs.New(), r, "refused-log-"+c.name)
		})
	}
}

// TestDamage breaks one structure at a time.
func TestDamage(t *testing.T) {
	zeros := make([]byte, 512)
	for _, c := range []struct {
		name     string
		damage   func(t *testing.T, path string)
		waivable bool
	}{
		{"boot-sector-gone", func(t *testing.T, path string) { patch(t, path, 0, zeros) }, true},
		{"boot-sector-wrong", func(t *testing.T, path string) { patch(t, path, 0xB, zeros[:64]) }, true},
		{"mirror-differs", func(t *testing.T, path string) {
			patch(t, path, place(t, path, ntfs.RecordMirror, ntfs.AttrData)+0x10, []byte{77})
		}, true},
		{"mft-record-torn", func(t *testing.T, path string) {
			patch(t, path, placeRecord(t, path, ntfs.RecordBitmap)+510, []byte{1, 2})
		}, false},
		{"mft-record-bad", func(t *testing.T, path string) {
			patch(t, path, placeRecord(t, path, ntfs.RecordRoot), []byte("BAAD"))
		}, false},
		{"mft-gone", func(t *testing.T, path string) {
			patch(t, path, placeRecord(t, path, ntfs.RecordMFT), zeros)
		}, false},
		{"index-root", func(t *testing.T, path string) {
			patch(t, path, place(t, path, ntfs.RecordRoot, ntfs.AttrIndexRoot)+8, []byte{1, 2, 3, 4})
		}, false},
		{"partition-too-small", func(t *testing.T, path string) {
			if err := os.Truncate(path, 7*mib); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			path := mkntfs(t, 8*mib)
			c.damage(t, path)
			r := volumetest.Open(t, path)
			if ok, err := ntfs.New().Recognise(r); !ok || err != nil {
				t.Errorf("Recognise = %v, %v", ok, err)
			}
			refusal := volumetest.Refused(t, ntfs.New(), r, volume.Damaged)
			if refusal.Waivable != c.waivable {
				t.Errorf("%+v", refusal)
			}
			volumetest.Keep(t, ntfs.New(), r, "damaged-"+c.name)
		})
	}
}

// TestBitmap clears the bits of metadata in $Bitmap.
func TestBitmap(t *testing.T) {
	path := mkntfs(t, 8*mib)
	patch(t, path, place(t, path, ntfs.RecordBitmap, ntfs.AttrData), []byte{0x0F}) // clusters 4 to 7: $MFT
	r := volumetest.Open(t, path)
	v, err := ntfs.New().Open(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	var damage *volume.DamageError
	if _, err := v.Used(context.Background()); !errors.As(err, &damage) || !strings.Contains(damage.Why, "$MFT") {
		t.Errorf("Used: %v", err)
	}
	volumetest.Keep(t, ntfs.New(), r, "damaged-bitmap")
}

// TestNoBackup takes a volume whose backup boot sector is missing: that is a
// note, or a missing volume when the first one is gone too.
func TestNoBackup(t *testing.T) {
	path := mkntfs(t, 8*mib)
	patch(t, path, 8*mib-512, make([]byte, 512))
	v, _ := volumetest.Check(t, ntfs.New(), volumetest.Open(t, path))
	if len(v.Info().Notes) != 1 {
		t.Errorf("notes %q", v.Info().Notes)
	}
	patch(t, path, 0xB, make([]byte, 64))
	var damage *volume.DamageError
	if _, err := ntfs.New().Open(context.Background(), volumetest.Open(t, path)); !errors.As(err, &damage) {
		t.Errorf("Open: %v", err)
	}
	patch(t, path, 0, make([]byte, 512))
	if ok, err := ntfs.New().Recognise(volumetest.Open(t, path)); ok || err != nil {
		t.Errorf("Recognise = %v, %v", ok, err)
	}
}

// TestLargerPartition takes a volume that ends before its partition, and one
// that fills it without room for a backup boot sector.
func TestLargerPartition(t *testing.T) {
	path := mkntfs(t, 8*mib)
	if err := os.Truncate(path, 9*mib+100); err != nil {
		t.Fatal(err)
	}
	v, used := volumetest.Check(t, ntfs.New(), volumetest.Open(t, path))
	if v.Info().Size != 8*mib || used.Clip(extentOf(8*mib, mib+100)).Bytes() != 512 || used.End() != 9*mib {
		t.Errorf("size %d, used map ends at %d", v.Info().Size, used.End())
	}
	short, err := block.Section(volumetest.Open(t, path), 0, 8*mib-512)
	if err != nil {
		t.Fatal(err)
	}
	v, _ = volumetest.Check(t, ntfs.New(), short)
	if v.Info().Size != 8*mib-512 || len(v.Info().Notes) != 1 {
		t.Errorf("%+v", v.Info())
	}
}
