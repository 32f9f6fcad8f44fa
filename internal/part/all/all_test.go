package all_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const mib = 1 << 20

// disk is an image file with the sector size of a device.
type disk struct {
	volumetest.File
	sectorSize int
}

func (d disk) SectorSize() int { return d.sectorSize }

func open(t *testing.T, path string, sectorSize int) block.Reader {
	t.Helper()
	return disk{volumetest.Open(t, path), sectorSize}
}

// blank makes a sparse file of size bytes full of zeros.
func blank(t *testing.T, size int64) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "disk.img")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, r block.Reader) part.Table {
	t.Helper()
	table, err := all.Read(r)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// apply does the writes on a file.
func apply(t *testing.T, path string, writes []part.Write) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, w := range writes {
		if _, err := f.WriteAt(w.Data, w.Offset); err != nil {
			t.Fatalf("%s: %v", w.What, err)
		}
	}
}

// sameBytes checks that Encode for the source's size gives what the source holds.
func sameBytes(t *testing.T, r block.Reader, table part.Table) {
	t.Helper()
	writes, err := all.Encode(table, r.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writes {
		got := make([]byte, len(w.Data))
		if err := block.ReadFull(r, got, w.Offset); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, w.Data) {
			t.Errorf("%s at %#x: encoded bytes differ from the disk's\n%s", w.What, w.Offset, firstDifference(w.Data, got))
		}
	}
	if len(writes) > 0 && !writes[len(writes)-1].Sync {
		t.Error("the last write is not synced")
	}
}

func firstDifference(got, want []byte) string {
	for i := range got {
		if got[i] != want[i] {
			end := min(i+16, len(got))
			return fmt.Sprintf("byte %d: got % x want % x", i, got[i:end], want[i:end])
		}
	}
	return ""
}

// sameJSON checks that a table survives being stored.
func sameJSON(t *testing.T, table part.Table) {
	t.Helper()
	data, err := json.Marshal(table)
	if err != nil {
		t.Fatal(err)
	}
	var again part.Table
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again, table) {
		t.Errorf("JSON round trip:\n got %+v\nwant %+v", again, table)
	}
	if most := 6000 + 600*len(table.Partitions); len(data) > most {
		t.Errorf("table of %d partitions is %d bytes of JSON", len(table.Partitions), len(data))
	}
}

// spaceAddsUp checks that partitions, gaps and the table's own bytes tile the disk.
func spaceAddsUp(t *testing.T, table part.Table) {
	t.Helper()
	total := table.Reserved().Bytes()
	if err := table.Reserved().Valid(table.DiskSize); err != nil {
		t.Errorf("Reserved: %v", err)
	}
	for _, g := range table.Gaps() {
		total += g.Length
	}
	for _, p := range table.Partitions {
		if !p.Extended {
			total += p.Length
		}
	}
	if table.Kind != part.None && total != table.DiskSize {
		t.Errorf("partitions, gaps and table have %d bytes, the disk %d", total, table.DiskSize)
	}
}

// moved encodes the table for a disk of another size and reads that back.
func moved(t *testing.T, table part.Table, size int64) (string, part.Table) {
	t.Helper()
	writes, err := all.Encode(table, size)
	if err != nil {
		t.Fatal(err)
	}
	path := blank(t, size)
	apply(t, path, writes)
	got := read(t, open(t, path, table.SectorSize))
	if got.ID != table.ID || !reflect.DeepEqual(got.Partitions, table.Partitions) {
		t.Errorf("on a disk of %d bytes:\n got %+v\nwant %+v", size, got.Partitions, table.Partitions)
	}
	if len(got.Findings) > 0 {
		t.Errorf("on a disk of %d bytes: findings %q", size, got.Findings)
	}
	return path, got
}

// TestSectorSize converts tables between sectors of 512 and 4096 bytes, on a
// smaller and on a larger disk; the tools judge.
func TestSectorSize(t *testing.T) {
	scripts := map[string]string{
		"gpt": "label: gpt\ntable-length: 140\n1M,4M,U\n6M,20M\nstart=30M,size=4M,type=S,name=\"größer 𝄞\",attrs=\"GUID:63\"\n",
		"mbr": "label: dos\nlabel-id: 0xc0ffee01\nstart=1M,size=4M,type=7,bootable\n5M,50M,E\n6M,4M\n12M,4M\n18M,4M\n",
	}
	for name, script := range scripts {
		for _, from := range []int{512, 4096} {
			t.Run(fmt.Sprintf("%s-%d", name, from), func(t *testing.T) {
				t.Parallel()
				path := blank(t, 64*mib)
				onDevice(t, path, from, func(dev string) {
					volumetest.Tool(t, "sh", "-c", "printf '%s' \"$1\" | sfdisk -q "+dev, "sh", script)
				})
				old := read(t, open(t, path, from))
				to := 512 + 4096 - from
				table, err := all.WithSectorSize(old, to)
				if err != nil {
					t.Fatal(err)
				}
				if !reflect.DeepEqual(table.Partitions, old.Partitions) {
					t.Errorf("partitions changed:\n got %+v\nwant %+v", table.Partitions, old.Partitions)
				}
				target, again := moved(t, table, map[int]int64{512: 60 * mib, 4096: 80 * mib}[from])
				if again.ID != old.ID || !reflect.DeepEqual(again.Partitions, old.Partitions) || len(again.Findings) > 0 {
					t.Errorf("read back %+v %q", again.Partitions, again.Findings)
				}
				againstSfdisk(t, target, again)
				verify(t, target, table)
			})
		}
	}
	if _, err := all.WithSectorSize(part.Table{Kind: part.MBR, SectorSize: 512}, 1000); err == nil {
		t.Error("sectors of 1000 bytes are accepted")
	}
}
