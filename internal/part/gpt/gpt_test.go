package gpt

import (
	"encoding/binary"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

const mib = 1 << 20

// memory is a disk in memory.
type memory []byte

func (m memory) Size() int64 { return int64(len(m)) }

func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off >= m.Size() {
		return 0, io.EOF
	}
	return copy(p, m[off:]), nil
}

func (m memory) apply(writes []part.Write) {
	for _, w := range writes {
		copy(m[w.Offset:], w.Data)
	}
}

func sample(sectorSize int, size int64) part.Table {
	entry := func(number int, start, length int64, name string) part.Partition {
		return part.Partition{
			Number: number, Start: start, Length: length, Name: name,
			Type: "0FC63DAF-8483-4772-8E79-3D69D8477DE4",
			ID:   "11111111-2222-4333-8444-55555555555" + string(rune('0'+number)),
		}
	}
	return part.Table{
		Kind: part.GPT, SectorSize: sectorSize, DiskSize: size, ID: "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE",
		Partitions: []part.Partition{entry(2, mib, mib, "efi"), entry(1, 2*mib, 3*mib, "root"), entry(7, 6*mib, mib, "home")},
	}
}

func newDisk(t testing.TB, table part.Table) memory {
	t.Helper()
	writes, err := Encode(table, table.DiskSize)
	if err != nil {
		t.Fatal(err)
	}
	m := make(memory, table.DiskSize)
	m.apply(writes)
	return m
}

func TestRepair(t *testing.T) {
	const end, sector = 8 * mib, 512
	flip := func(at int64) func(memory) memory {
		return func(m memory) memory { m[at] ^= 0xFF; return m }
	}
	for _, test := range []struct {
		name    string
		damage  func(memory) memory
		finding string
	}{
		{"clean", func(m memory) memory { return m }, ""},
		{"primary header", flip(sector + 60), "primary GPT is damaged"},
		{"primary signature", flip(sector), "primary GPT is damaged"},
		{"primary entries", flip(2*sector + 5), "primary GPT is damaged"},
		{"backup header", flip(end - sector + 60), "backup GPT is damaged"},
		{"backup entries", flip(end - 33*sector + 130), "backup GPT is damaged"},
		{"protective entry gone", func(m memory) memory { clear(m[446:510]); return m }, "no protective MBR"},
		{"disk grown", func(m memory) memory { return append(m, make(memory, mib)...) }, "has grown"},
		{"disk grown, primary broken", func(m memory) memory { m[sector+60] ^= 1; return append(m, make(memory, mib)...) }, "has grown"},
		{"disk cut off", func(m memory) memory { return m[:end-sector] }, "backup GPT is damaged"},
		{"copies disagree", func(m memory) memory {
			other := sample(sector, end)
			other.Partitions = other.Partitions[:1]
			stale := newDisk(t, other)
			copy(m[end-33*sector:], stale[end-33*sector:])
			return m
		}, "disagree"},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := sample(sector, end)
			m := test.damage(newDisk(t, want))
			got, err := Find(m, sector).Table()
			if err != nil {
				t.Fatal(err)
			}
			if got.ID != want.ID || !reflect.DeepEqual(got.Partitions, want.Partitions) {
				t.Errorf("got %+v\nwant %+v", got.Partitions, want.Partitions)
			}
			if all := strings.Join(got.Findings, " "); !strings.Contains(all, test.finding) || test.finding == "" && all != "" {
				t.Errorf("findings %q, want %q", all, test.finding)
			}
			repaired(t, m, got)
		})
	}
}

// repaired writes the table back and expects nothing left to repair.
func repaired(t *testing.T, m memory, table part.Table) {
	t.Helper()
	writes, err := Encode(table, m.Size())
	if err != nil {
		t.Fatal(err)
	}
	m.apply(writes)
	again, err := Find(m, table.SectorSize).Table()
	if err != nil || len(again.Findings) > 0 || !reflect.DeepEqual(again.Partitions, table.Partitions) {
		t.Errorf("after repair: %+v, %v", again, err)
	}
}

func TestRefuses(t *testing.T) {
	// raw changes one entry of both copies and makes the checksums fit.
	raw := func(number int, change func(entry []byte)) func(testing.TB) memory {
		return func(t testing.TB) memory {
			m := newDisk(t, sample(512, 8*mib))
			c := Find(m, 512).primary
			change(c.entry(number - 1))
			c.arrayCRC = crcOf(c)
			c.put(c.sector)
			copy(m[512:], c.sector)
			copy(m[1024:], c.array)
			return m
		}
	}
	put := binary.LittleEndian.PutUint64
	for name, disk := range map[string]func(testing.TB) memory{
		"overlap":           raw(1, func(e []byte) { put(e[firstAt:], 2050) }),
		"behind the end":    raw(7, func(e []byte) { put(e[lastAt:], 16384) }),
		"absurd end":        raw(7, func(e []byte) { put(e[lastAt:], 1<<63) }),
		"ends before start": raw(7, func(e []byte) { put(e[lastAt:], 6*2048-1) }),
		"inside the table":  raw(2, func(e []byte) { put(e[firstAt:], 33) }),
		"both copies broken": func(t testing.TB) memory {
			m := newDisk(t, sample(512, 8*mib))
			m[512+20], m[8*mib-512+20] = 1, 1
			return m
		},
	} {
		t.Run(name, func(t *testing.T) {
			var damage *part.DamageError
			if table, err := Find(disk(t), 512).Table(); !errors.As(err, &damage) {
				t.Errorf("got %+v, %v; want a DamageError", table.Partitions, err)
			}
		})
	}
}

func TestRepairFindsEntriesElsewhere(t *testing.T) {
	m := newDisk(t, sample(512, 8*mib))
	c := Find(m, 512).primary
	const elsewhere = 100
	copy(m[elsewhere*512:], c.array)
	clear(m[1024:][:len(c.array)])
	copy(m[1024:], "boot loader of a board that starts at sector 2")
	c.arrayLBA = elsewhere
	c.put(c.sector)
	copy(m[512:], c.sector)
	m[512+16] ^= 1 // header checksum

	table, err := Find(m, 512).Table()
	if err != nil {
		t.Fatal(err)
	}
	repaired(t, m, table)
	if string(m[1024:1035]) != "boot loader" {
		t.Error("the repair overwrote sector 2")
	}
}

func TestKeepsWhatItDoesNotInterpret(t *testing.T) {
	m := newDisk(t, sample(512, 8*mib))
	c := Find(m, 512).primary
	c.size = 96
	copy(c.sector[92:], "tail, not all of it in the checksum")
	binary.LittleEndian.PutUint16(c.entry(1)[nameAt:], 0xD800) // half a surrogate pair
	copy(c.entry(0)[nameEnd-8:], "garbage!")
	copy(c.entry(20)[30:], "an unused entry that is not empty")
	c.arrayCRC = crcOf(c)
	c.put(c.sector)
	b := *c
	b.my, b.alternate, b.arrayLBA = c.alternate, 1, c.alternate-32
	copy(m[512:], c.sector)
	copy(m[1024:], c.array)
	copy(m[b.arrayLBA*512:], b.array)
	b.put(c.sector)
	copy(m[b.my*512:], c.sector)
	copy(m, "boot code")

	table, err := Find(m, 512).Table()
	if err != nil || len(table.Findings) > 0 {
		t.Fatal(err, table.Findings)
	}
	before := append(memory(nil), m...)
	writes, err := Encode(table, m.Size())
	if err != nil {
		t.Fatal(err)
	}
	m.apply(writes)
	if !reflect.DeepEqual(before, m) {
		t.Error("the table written back differs from the one read")
	}
}

func TestEdits(t *testing.T) {
	m := newDisk(t, sample(512, 8*mib))
	hybrid := mbr.Entry{Type: 0x83, Start: 2 * 2048, Size: 3 * 2048}
	hybrid.Put(m, 1)
	table, err := Find(m, 512).Table()
	if err != nil {
		t.Fatal(err)
	}
	edited := table
	edited.Partitions = append([]part.Partition(nil), table.Partitions[1:]...) // without number 2
	edited.Partitions[0].Length = 10 * mib                                     // number 1
	edited.Partitions[0].Name, edited.Partitions[0].Flags = "größer 𝄞", 1<<63
	edited.Partitions[1].Start = 14 * mib // number 7
	writes, err := Encode(edited, 32*mib)
	if err != nil {
		t.Fatal(err)
	}
	target := make(memory, 32*mib)
	target.apply(writes)
	got, err := Find(target, 512).Table()
	if err != nil || !reflect.DeepEqual(got.Partitions, edited.Partitions) {
		t.Errorf("got %+v, %v\nwant %+v", got.Partitions, err, edited.Partitions)
	}
	if e := mbr.EntryAt(target, 1); e.Start != 2*2048 || e.Size != 10*2048 {
		t.Errorf("the hybrid MBR's entry did not follow its partition: %+v", e)
	}
	if e := mbr.EntryAt(target, 0); e.End() != 32*mib/512 {
		t.Errorf("the protective entry ends at sector %d", e.End())
	}
}
