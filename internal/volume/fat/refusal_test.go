package fat_test

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/volume/fat"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// Where mkfs.fat put things in the fixtures fat16 and fat32.
const (
	table16   = 4 * 512
	table32   = 32 * 512
	entries32 = 4
)

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name, fixture string
		off           int64
		patch         string
		reason        volume.Reason
		waivable      bool
	}{
		{"dirty bit of FAT16", "fat16", table16 + 2, "\xff\x7f", volume.Dirty, true},
		{"error bit of FAT16", "fat16", table16 + 2, "\xff\xbf", volume.Dirty, true},
		{"dirty bit of FAT32", "fat32", table32 + 4, "\xff\xff\xff\xf7", volume.Dirty, true},
		{"error bit of FAT32", "fat32", table32 + 4, "\xff\xff\xff\xfb", volume.Dirty, true},
		{"state byte of FAT12", "fat12-floppy", 0x25, "\x01", volume.Dirty, true},
		{"state byte of FAT16", "fat16", 0x25, "\x01", volume.Dirty, true},
		{"state byte of FAT32", "fat32", 0x41, "\x01", volume.Dirty, true},
		{"version of FAT32", "fat32", 0x2a, "\x01", volume.Unknown, true},
		{"FAT16 that calls itself FAT12", "fat16", 0x36, "FAT12", volume.Damaged, true},
		{"longer than the partition", "fat32", 0x20, "\x01\x00\x02\x00", volume.Damaged, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := fixture(t, c.fixture)
			s.Patch(c.off, []byte(c.patch))
			refusal := volumetest.Refused(t, fat.New(), s, c.reason)
			if refusal.Waivable != c.waivable {
				t.Errorf("waivable %v, want %v", refusal.Waivable, c.waivable)
			}
		})
	}
}

// TestDirtyAsFsckSeesIt holds the mark that Linux leaves against fsck.fat.
func TestDirtyAsFsckSeesIt(t *testing.T) {
	for bits, off := range map[string]int64{"16": 0x25, "32": 0x41} {
		path := volumetest.Mkfs(t, 64*mib, "mkfs.fat", "-F", bits, "{}")
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte{1}, off); err != nil {
			t.Fatal(err)
		}
		f.Close()
		volumetest.Refused(t, fat.New(), volumetest.Open(t, path), volume.Dirty)
		if out := volumetest.Tool(t, "sh", "-c", "fsck.fat -n "+path+" || true"); !strings.Contains(out, "Dirty bit is set") {
			t.Errorf("FAT%s: fsck.fat takes it for clean:\n%s", bits, out)
		}
	}
}

func TestDamage(t *testing.T) {
	for name, patch := range map[string]struct {
		off  int64
		data string
	}{
		"root directory's cluster free":          {table32 + 2*entries32, "\x00\x00\x00\x00"},
		"root directory outside":                 {0x2c, "\xff\xff\xff\x00"},
		"root directory at a flag entry":         {0x2c, "\x01\x00\x00\x00"},
		"active table that is not there":         {0x28, "\x82\x00"},
		"tables as long as the volume":           {0x24, "\x00\x00\x02\x00"},
		"sector size 0":                          {0x0b, "\x00\x00"},
		"sector size 8192":                       {0x0b, "\x00\x20"},
		"three sectors per cluster":              {0x0d, "\x03"},
		"no reserved sectors":                    {0x0e, "\x00\x00"},
		"no tables":                              {0x10, "\x00"},
		"media byte of a partition in use: 0x80": {0x15, "\x80"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture(t, "fat32")
			s.Patch(patch.off, []byte(patch.data))
			// The second table, too, where the first is patched.
			if patch.off > table32 {
				s.Patch(patch.off+tableSize32(t, s), []byte(patch.data))
			}
			v, err := fat.New().Open(context.Background(), s)
			if err == nil {
				_, err = v.Used(context.Background())
			}
			if damage := (*volume.DamageError)(nil); !errors.As(err, &damage) {
				t.Errorf("%v, want a DamageError", err)
			}
		})
	}
}

func tableSize32(t testing.TB, s *volumetest.Sparse) int64 {
	t.Helper()
	b := make([]byte, 4)
	if _, err := s.ReadAt(b, 0x24); err != nil {
		t.Fatal(err)
	}
	return int64(binary.LittleEndian.Uint32(b)) * 512
}

// TestTablesDiffer: a cluster that only one copy calls used is in the map.
func TestTablesDiffer(t *testing.T) {
	s := fixture(t, "fat32")
	_, before := volumetest.Check(t, fat.New(), s)
	last := int64(100_000)
	s.Patch(table32+last*entries32, []byte("\xff\xff\xff\x0f"))
	s.Patch(table32+(last+1)*entries32+tableSize32(t, s), []byte("\xff\xff\xff\x0f"))
	s.Patch(table32+(last+2)*entries32, []byte("\x00\x00\x00\xf0")) // reserved bits alone mean nothing

	v, used := volumetest.Check(t, fat.New(), s)
	data := int64(table32) + 2*tableSize32(t, s)
	want := extent.Of(extent.Extent{Start: data + (last-2)*512, Length: 2 * 512})
	if got := used.Subtract(before); len(got) != 1 || got[0] != want[0] {
		t.Errorf("more used than before: %v, want %v", got, want)
	}
	if notes := strings.Join(v.Info().Notes, " "); !strings.Contains(notes, "differ") || !strings.Contains(notes, "free count") {
		t.Errorf("notes %q; want one on the tables, one on the free count", notes)
	}
	again, _ := v.Used(context.Background())
	if again.Bytes() != used.Bytes() || len(v.Info().Notes) != 2 {
		t.Errorf("a second call of Used gives %d bytes, notes %q", again.Bytes(), v.Info().Notes)
	}
}

// TestUnmirrored: only the active table counts, the other is left as it was.
func TestUnmirrored(t *testing.T) {
	s := fixture(t, "fat32")
	_, before := volumetest.Check(t, fat.New(), s)
	s.Patch(0x28, []byte{0x81, 0})
	s.Patch(table32, make([]byte, tableSize32(t, s)))
	_, used := volumetest.Check(t, fat.New(), s)
	if len(used) != len(before) || used.Bytes() != before.Bytes() {
		t.Errorf("map by the second table has %d bytes, %d before", used.Bytes(), before.Bytes())
	}
}

// TestTableTooShort: clusters beyond the table cannot be told free.
func TestTableTooShort(t *testing.T) {
	s := fixture(t, "fat32-few-clusters")
	_, before := volumetest.Check(t, fat.New(), s)
	s.Patch(0x24, []byte{2, 0, 0, 0})
	s.Patch(table32+2*512, []byte("\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f"))
	v, used := volumetest.Check(t, fat.New(), s)
	if used.Bytes() < s.Size()*9/10 || used.Bytes() <= before.Bytes() || len(v.Info().Notes) == 0 {
		t.Errorf("%d bytes of %d used, notes %q", used.Bytes(), s.Size(), v.Info().Notes)
	}
}

// TestCyclicRootDirectory ends, without a label from the directory.
func TestCyclicRootDirectory(t *testing.T) {
	s := fixture(t, "fat32-few-clusters")
	data := int64(table32) + 2*tableSize32(t, s)
	junk := []byte(strings.Repeat("JUNK    TXT\x20"+strings.Repeat("\x00", 20), 4096/32))
	s.Patch(data, junk)
	for table := range int64(2) {
		s.Patch(table32+table*tableSize32(t, s)+2*entries32, []byte("\x02\x00\x00\x00"))
	}
	v, _ := volumetest.Check(t, fat.New(), s)
	if label := v.Info().Label; label != "" {
		t.Errorf("label %q", label)
	}
}

func TestLabels(t *testing.T) {
	for name, c := range map[string]struct{ entry, want string }{
		"code page":     {"CAF\x90       \x08", "CAF?"},
		"control bytes": {"A\x1b[31mB    \x08", "A?[31mB"},
		"deleted":       {"\xe5LD        \x08", "A LABEL"}, // the boot sector's
		"long name":     {"AB\x00C\x00D\x00E\x00F\x00\x0f", "A LABEL"},
		"not the first": {"FILE    TXT\x20", "A LABEL"},
		"no name":       {"NO NAME    \x08", "A LABEL"},
	} {
		t.Run(name, func(t *testing.T) {
			s := fixture(t, "fat32")
			data := int64(table32) + 2*tableSize32(t, s)
			s.Patch(data, []byte(c.entry))
			v, _ := volumetest.Check(t, fat.New(), s)
			if got := v.Info().Label; got != c.want {
				t.Errorf("label %q, want %q", got, c.want)
			}
		})
	}
}
