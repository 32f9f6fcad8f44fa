package exfat_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/exfat"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// Where mkfs.exfat put things in the fixture "default", in bytes and clusters.
const (
	tableStart  = 2048 * 512
	tableSize   = 128 * 512
	heapStart   = 4096 * 512
	clusterSize = 4096
	rootCluster = 5
	bitmapEntry = heapStart + (rootCluster-2)*clusterSize + 32 // behind the label
)

func cluster(n int64) int64 { return heapStart + (n-2)*clusterSize }

func link(n int64) int64 { return tableStart + 4*n }

type patch struct {
	off  int64
	data string
}

func patched(t testing.TB, patches ...patch) *volumetest.Sparse {
	t.Helper()
	s, err := volumetest.ReadFixture(filepath.Join("testdata", "default.sparse.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range patches {
		s.Patch(p.off, []byte(p.data))
	}
	return s
}

// seal writes the main boot region's checksum anew, so that a patch of its fields counts.
func seal(t testing.TB, s *volumetest.Sparse) *volumetest.Sparse {
	t.Helper()
	region := make([]byte, 11*512)
	if _, err := s.ReadAt(region, 0); err != nil {
		t.Fatal(err)
	}
	var sum uint32
	for i, b := range region {
		if i == 106 || i == 107 || i == 112 {
			continue
		}
		sum = (sum<<31 | sum>>1) + uint32(b)
	}
	s.Patch(11*512, bytes.Repeat(binary.LittleEndian.AppendUint32(nil, sum), 512/4))
	return s
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name     string
		volume   *volumetest.Sparse
		reason   volume.Reason
		waivable bool
	}{
		{"dirty", patched(t, patch{106, "\x02"}), volume.Dirty, true},
		{"main boot region", patched(t, patch{200, "?"}), volume.Damaged, false},
		{"main boot region's sector size", patched(t, patch{108, "\x0c"}), volume.Damaged, false},
		{"revision 2", seal(t, patched(t, patch{105, "\x02"})), volume.Unknown, false},
		{"longer than the partition", seal(t, patched(t, patch{72, "\x01\x00\x02"})), volume.Damaged, false},
		{"no bitmap", patched(t, patch{bitmapEntry, "\x01"}), volume.Damaged, false},
		{"short bitmap", patched(t, patch{bitmapEntry + 24, "\x01\x00"}), volume.Damaged, false},
		{"endless bitmap", patched(t, patch{bitmapEntry + 31, "\xff"}), volume.Damaged, false},
		{"bitmap outside", patched(t, patch{bitmapEntry + 20, "\xff\xff\xff"}), volume.Damaged, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			refusal := volumetest.Refused(t, exfat.New(), c.volume, c.reason)
			if refusal.Waivable != c.waivable {
				t.Errorf("waivable %v, want %v", refusal.Waivable, c.waivable)
			}
		})
	}
}

// TestDirtyWhileMounted: a driver raises the flag that is refused here, and lowers it again.
func TestDirtyWhileMounted(t *testing.T) {
	dev := attach(t, volumetest.Mkfs(t, 16*mib, "mkfs.exfat", "{}"), 512)
	mount(t, dev, func(dir string) {
		// The driver raises it behind the mount, before it answers the first request.
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		volumetest.Refused(t, exfat.New(), volumetest.Open(t, dev), volume.Dirty)
	})
	volumetest.Check(t, exfat.New(), volumetest.Open(t, dev))
}

func TestDamage(t *testing.T) {
	for name, s := range map[string]*volumetest.Sparse{
		"both boot regions":            patched(t, patch{200, "?"}, patch{12*512 + 200, "?"}),
		"sector size 2^13":             damagedBoth(t, patch{108, "\x0d"}),
		"cluster size 2^26":            damagedBoth(t, patch{109, "\x11"}),
		"no table":                     damagedBoth(t, patch{110, "\x00"}),
		"three tables":                 damagedBoth(t, patch{110, "\x03"}),
		"more clusters than sectors":   damagedBoth(t, patch{92, "\x01\x3f\x00\x00"}),
		"a size that overflows":        damagedBoth(t, patch{72, "\xff\xff\xff\xff\xff\xff\xff\xff"}),
		"table over the boot regions":  damagedBoth(t, patch{80, "\x10\x00\x00\x00"}),
		"table too short":              damagedBoth(t, patch{84, "\x08\x00\x00\x00"}),
		"root directory outside":       damagedBoth(t, patch{96, "\xff\xff\xff\x00"}),
		"bitmap in use, root not":      patched(t, patch{cluster(2), "\xf7"}),
		"up-case table's cluster free": patched(t, patch{cluster(2), "\xfd"}),
		"bitmap's own cluster free":    patched(t, patch{cluster(2), "\xfe"}),
	} {
		t.Run(name, func(t *testing.T) {
			v, err := exfat.New().Open(context.Background(), s)
			if err == nil {
				_, err = v.Used(context.Background())
			}
			if damage := (*volume.DamageError)(nil); !errors.As(err, &damage) {
				t.Errorf("%v, want a DamageError", err)
			}
		})
	}
}

// damagedBoth leaves no backup to fall back to.
func damagedBoth(t testing.TB, p patch) *volumetest.Sparse {
	return seal(t, patched(t, p, patch{12 * 512, "?"}))
}

func TestChains(t *testing.T) {
	for name, s := range map[string]*volumetest.Sparse{
		"circle of one":       filledRoot(t, patch{link(rootCluster), "\x05\x00\x00\x00"}),
		"circle of three":     filledRoot(t, patch{link(rootCluster), "\x40\x00\x00\x00"}, patch{link(0x40), "\x41\x00\x00\x00"}, patch{link(0x41), "\x05\x00\x00\x00"}),
		"circle further down": filledRoot(t, patch{link(rootCluster), "\x40\x00\x00\x00"}, patch{link(0x40), "\x41\x00\x00\x00"}, patch{link(0x41), "\x40\x00\x00\x00"}),
		"free cluster":        filledRoot(t, patch{link(rootCluster), "\x00\x00\x00\x00"}),
		"bad cluster":         filledRoot(t, patch{link(rootCluster), "\xf7\xff\xff\xff"}),
	} {
		t.Run(name, func(t *testing.T) {
			refusal := volumetest.Refused(t, exfat.New(), s, volume.Damaged)
			if !strings.Contains(refusal.What, "root directory") {
				t.Errorf("%q does not name the root directory", refusal.What)
			}
		})
	}
}

// filledRoot has no end mark in the root directory's first cluster and two more.
func filledRoot(t testing.TB, patches ...patch) *volumetest.Sparse {
	t.Helper()
	s := patched(t, patches...)
	for _, n := range []int64{rootCluster, 0x40, 0x41} {
		b := make([]byte, clusterSize)
		if _, err := s.ReadAt(b, cluster(n)); err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(b); at += 32 {
			if b[at] == 0 {
				b[at] = 0x05 // an unused file entry
			}
		}
		s.Patch(cluster(n), b)
	}
	return s
}

func TestNotes(t *testing.T) {
	for name, c := range map[string]struct {
		volume *volumetest.Sparse
		want   string
	}{
		"media failure": {patched(t, patch{106, "\x04"}), "medium"},
		"backup":        {patched(t, patch{12*512 + 200, "?"}), "backup"},
	} {
		v, _ := volumetest.Check(t, exfat.New(), c.volume)
		if notes := v.Info().Notes; len(notes) != 1 || !strings.Contains(notes[0], c.want) {
			t.Errorf("%s: notes %q, want one with %q", name, notes, c.want)
		}
	}
}

// TestTexFAT: the second table is the active one, and both bitmaps count.
func TestTexFAT(t *testing.T) {
	const second, extra = 10_000, 10_008
	_, before := volumetest.Check(t, exfat.New(), patched(t))

	s := patched(t, patch{110, "\x02"}, patch{106, "\x01"})
	table, bitmap := make([]byte, tableSize), make([]byte, clusterSize)
	for off, b := range map[int64][]byte{tableStart: table, cluster(2): bitmap} {
		if _, err := s.ReadAt(b, off); err != nil {
			t.Fatal(err)
		}
	}
	s.Patch(tableStart, make([]byte, tableSize))
	s.Patch(tableStart+tableSize, table)
	s.Patch(link(second)+tableSize, []byte("\xff\xff\xff\xff"))
	bitmap[(second-2)/8] |= 1 << ((second - 2) % 8)
	bitmap[(extra-2)/8] |= 1 << ((extra - 2) % 8)
	s.Patch(cluster(second), bitmap)
	entry := make([]byte, 32)
	if _, err := s.ReadAt(entry, bitmapEntry); err != nil {
		t.Fatal(err)
	}
	entry[1] = 1
	binary.LittleEndian.PutUint32(entry[20:], second)
	s.Patch(bitmapEntry-32, entry) // in place of the label

	_, used := volumetest.Check(t, exfat.New(), seal(t, s))
	want := extent.Of(extent.Extent{Start: cluster(second), Length: clusterSize}, extent.Extent{Start: cluster(extra), Length: clusterSize})
	if got := used.Subtract(before); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("more used than by the first bitmap: %v, want %v", got, want)
	}
}

// TestBackupAsFsckSeesIt: fsck.exfat mends what is refused here, as the refusal says.
func TestBackupAsFsckSeesIt(t *testing.T) {
	path := volumetest.Mkfs(t, 16*mib, "mkfs.exfat", "-L", "mended", "{}")
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte("?"), 200); err != nil {
		t.Fatal(err)
	}
	volumetest.Refused(t, exfat.New(), volumetest.Open(t, path), volume.Damaged)
	out := volumetest.Tool(t, "sh", "-c", "fsck.exfat -y "+path+" || [ $? = 1 ]") // 1: mended
	v, _ := volumetest.Check(t, exfat.New(), volumetest.Open(t, path))
	if v.Info().Label != "mended" {
		t.Errorf("label %q after\n%s", v.Info().Label, out)
	}
}
