package ntfs_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

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
			v, err := ntfs.New().Open(context.Background(), r)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Used(context.Background()); (err == nil) != c.waivable {
				t.Errorf("Used: %v", err)
			}
		})
	}
}

// TestBackupBoot holds the map that the backup leads to against that of the
// volume after ntfsfix has repaired it.
func TestBackupBoot(t *testing.T) {
	path := mkntfs(t, 8*mib)
	patch(t, path, 0, make([]byte, 512))
	v, err := ntfs.New().Open(context.Background(), volumetest.Open(t, path))
	if err != nil {
		t.Fatal(err)
	}
	got, err := v.Used(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	volumetest.Tool(t, "ntfsfix", "-d", path) // without -d it marks the volume dirty
	if _, want := volumetest.Check(t, ntfs.New(), volumetest.Open(t, path)); !slices.Equal(got, want) {
		t.Errorf("by the backup %v, after the repair %v", got, want)
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
