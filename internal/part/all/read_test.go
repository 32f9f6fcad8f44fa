package all_test

import (
	"crypto/rand"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestNoTable reads file systems that fill the disk.
func TestNoTable(t *testing.T) {
	for _, mkfs := range [][]string{
		{"true"},
		{"mkfs.fat", "-F", "32", "{}"},
		{"mkfs.fat", "-F", "16", "--mbr=yes", "{}"},
		{"mkfs.ntfs", "-q", "-F", "{}"},
		{"mkfs.exfat", "{}"},
		{"mkfs.ext4", "-q", "-F", "{}"},
		{"mkswap", "{}"},
	} {
		t.Run(strings.Join(mkfs, " "), func(t *testing.T) {
			path := volumetest.Mkfs(t, 64*mib, mkfs...)
			table := read(t, volumetest.Open(t, path))
			if table.Kind != part.None || len(table.Partitions) > 0 || table.Gaps() != nil || table.Reserved() != nil {
				t.Errorf("got %+v", table)
			}
		})
	}
}

// TestImageOf4KDisk reads a 4K native disk's table from a plain file.
func TestImageOf4KDisk(t *testing.T) {
	path := blank(t, 64*mib)
	onDevice(t, path, 4096, func(dev string) { volumetest.Tool(t, "sgdisk", "-n", "3:2M:+4M", dev) })
	table := read(t, volumetest.Open(t, path))
	if table.SectorSize != 4096 || len(table.Partitions) != 1 || table.Partitions[0].Start != 2*mib {
		t.Errorf("got %+v", table)
	}
}

func TestStaleGPT(t *testing.T) {
	t.Parallel()
	gpt := func(t *testing.T) string {
		path := blank(t, 64*mib)
		volumetest.Tool(t, "sgdisk", "-n", "1:1M:+4M", path)
		return path
	}
	overwrite := func(t *testing.T, path string, off int64, data []byte) {
		apply(t, path, []part.Write{{Offset: off, Data: data}})
	}
	t.Run("under an MBR", func(t *testing.T) {
		path := gpt(t)
		sector := make([]byte, 512)
		copy(sector[446:], "\x80\x00\x00\x00\x83\x00\x00\x00\x00\x08\x00\x00\x00\x10\x00\x00")
		sector[510], sector[511] = 0x55, 0xAA
		overwrite(t, path, 0, sector)
		if table := read(t, volumetest.Open(t, path)); table.Kind != part.MBR || len(table.Findings) != 1 {
			t.Errorf("got %+v", table)
		}
	})
	t.Run("backup behind a wiped start", func(t *testing.T) {
		path := gpt(t)
		overwrite(t, path, 0, make([]byte, mib))
		if table := read(t, volumetest.Open(t, path)); table.Kind != part.None || len(table.Findings) != 1 {
			t.Errorf("got %+v", table)
		}
	})
	t.Run("under a file system", func(t *testing.T) {
		path := gpt(t)
		volumetest.Tool(t, "mkfs.ext4", "-q", "-F", path)
		if table := read(t, volumetest.Open(t, path)); table.Kind != part.None {
			t.Errorf("got %+v", table)
		}
	})
	t.Run("only the protective MBR", func(t *testing.T) {
		path := gpt(t)
		overwrite(t, path, 512, make([]byte, mib))
		overwrite(t, path, 63*mib, make([]byte, mib))
		var damage *part.DamageError
		if _, err := all.Read(volumetest.Open(t, path)); !errors.As(err, &damage) {
			t.Errorf("got %v, want a DamageError", err)
		}
	})
}

func TestInvalidate(t *testing.T) {
	t.Parallel()
	for _, sectorSize := range []int{512, 4096} {
		path := blank(t, 64*mib)
		onDevice(t, path, sectorSize, func(dev string) { volumetest.Tool(t, "sgdisk", "-n", "1:1M:+4M", dev) })
		marker := []byte("ingot: deploy under way")
		writes := all.Invalidate(64*mib, 512, marker)
		if sectorSize == 4096 {
			writes = all.Invalidate(64*mib, sectorSize, marker)
		}
		for _, w := range writes {
			if w.Offset%int64(sectorSize) != 0 || len(w.Data)%sectorSize != 0 || w.Offset+int64(len(w.Data)) > 64*mib {
				t.Errorf("write of %d bytes at %#x on sectors of %d", len(w.Data), w.Offset, sectorSize)
			}
		}
		if !writes[0].Sync || !writes[len(writes)-1].Sync {
			t.Error("a write is not synced")
		}
		apply(t, path, writes)
		if table := read(t, volumetest.Open(t, path)); table.Kind != part.None || len(table.Findings) > 0 {
			t.Errorf("got %+v", table)
		}
		if out := volumetest.Tool(t, "wipefs", path); out != "" {
			t.Errorf("wipefs still finds:\n%s", out)
		}
		if data, _ := os.ReadFile(path); !strings.HasPrefix(string(data), string(marker)) {
			t.Error("the marker is missing")
		}
	}
	for _, w := range all.Invalidate(1000, 512, []byte(strings.Repeat("\x55\xAA", 300))) {
		if len(w.Data) != 512 || w.Offset != 0 || w.Data[510] == 0x55 {
			t.Errorf("on a tiny disk: %d bytes at %d", len(w.Data), w.Offset)
		}
	}
}

func TestNewIDs(t *testing.T) {
	path := blank(t, 64*mib)
	volumetest.Tool(t, "sgdisk", "-n", "1:1M:+4M", "-n", "2:8M:+4M", path)
	old := read(t, volumetest.Open(t, path))
	kept := append([]part.Partition(nil), old.Partitions...)
	fresh, changed, err := all.NewIDs(old, rand.Reader)
	if err != nil || len(changed) != 3 || changed[old.ID] != fresh.ID || changed[old.Partitions[1].ID] != fresh.Partitions[1].ID {
		t.Fatalf("%v, %v", changed, err)
	}
	if !reflect.DeepEqual(old.Partitions, kept) {
		t.Error("the old table changed")
	}
	other, again := moved(t, fresh, 64*mib)
	againstSfdisk(t, other, again)

	legacy := part.Table{Kind: part.MBR, ID: "c0ffee00", Partitions: []part.Partition{{Number: 5}}}
	fresh, changed, err = all.NewIDs(legacy, rand.Reader)
	if err != nil || len(fresh.ID) != 8 || changed["c0ffee00-05"] != fresh.ID+"-05" || changed["c0ffee00"] != fresh.ID {
		t.Errorf("%v, %v, %v", fresh.ID, changed, err)
	}
}

// TestEditedMBR moves, grows and removes logical partitions; sfdisk judges.
func TestEditedMBR(t *testing.T) {
	path := blank(t, 64*mib)
	script := path + ".sfdisk"
	lines := "label: dos\n1M,4M\n5M,50M,E\n6M,4M\n12M,4M\n18M,4M\n24M,4M\n"
	if err := os.WriteFile(script, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	volumetest.Tool(t, "sh", "-c", "sfdisk -q "+path+" < "+script)
	table := read(t, volumetest.Open(t, path))
	edited := table
	edited.Partitions = nil
	for _, p := range table.Partitions {
		switch p.Number {
		case 2:
			p.Length = 110 * mib
		case 5:
			continue // the first, whose record must stay
		case 6:
			p.Length = 5 * mib
		case 7:
			continue
		case 8:
			p.Start, p.Length, p.Type = 30*mib, 80*mib, "07"
		}
		edited.Partitions = append(edited.Partitions, p)
	}
	writes, err := all.Encode(edited, 128*mib)
	if err != nil {
		t.Fatal(err)
	}
	target := blank(t, 128*mib)
	apply(t, target, writes)
	got := read(t, volumetest.Open(t, target))
	for i := range edited.Partitions {
		if n := edited.Partitions[i].Number; n > 4 {
			edited.Partitions[i].Number = map[int]int{6: 5, 8: 6}[n]
		}
	}
	if !reflect.DeepEqual(got.Partitions, edited.Partitions) || len(got.Findings) > 0 {
		t.Errorf("got %+v %q\nwant %+v", got.Partitions, got.Findings, edited.Partitions)
	}
	volumetest.Tool(t, "sfdisk", "--verify", target)
}
