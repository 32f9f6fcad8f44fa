package mbr

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

const (
	mib     = 1 << 20
	sectors = 64 * mib / 512
)

// record returns a signed sector with the given entries.
func bootRecord(entries ...Entry) []byte {
	b := make([]byte, Size)
	for slot, e := range entries {
		e.Put(b, slot)
	}
	Sign(b)
	return b
}

func TestRecognise(t *testing.T) {
	linux := Entry{0x80, 0x83, 2048, 4096}
	fat := func(b []byte) []byte {
		copy(b, "\xEB\x3C\x90mkfs.fat\x00\x02\x04\x04\x00\x02\x00\x02\x00\x00\xF8")
		return b
	}
	ntfs := func(b []byte) []byte { copy(b, "\xEB\x52\x90NTFS    "); return b }
	for _, test := range []struct {
		name   string
		sector []byte
		ok     bool
		why    string
	}{
		{"zeros", make([]byte, Size), false, ""},
		{"no entries", bootRecord(), true, ""},
		{"one entry", bootRecord(linux), true, ""},
		{"hole before the entry", bootRecord(Entry{}, Entry{}, linux), true, ""},
		{"touching entries", bootRecord(linux, Entry{0, 7, 6144, 1}), true, ""},
		{"reaches past the end", bootRecord(Entry{0, 7, 2048, 1 << 30}), true, ""},
		{"old BPB left under a boot loader", fat(bootRecord(linux)), true, ""},
		{"FAT", fat(bootRecord()), false, ""},
		{"NTFS", ntfs(bootRecord()), false, ""},
		{"FAT with garbage entries", fat(bootRecord(Entry{0x20, 0x6F, 0x20736B69, 1})), false, ""},
		{"FAT with an entry for itself", fat(bootRecord(Entry{0x80, 0x0C, 0, sectors})), false, ""},
		{"other boot sector", append([]byte{0xEB, 0x58}, bootRecord()[2:]...), false, ""},
		{"starts behind the end", bootRecord(linux, Entry{0, 7, sectors, 1}), false, "entry 2 starts"},
		{"boot indicator", bootRecord(linux, Entry{0x81, 7, 8192, 1}), false, "boot indicator"},
		{"CD image", bootRecord(Entry{0x80, 0x17, 0, 9000}, Entry{0, 0xEF, 300, 100}), false, "starts at sector 0"},
		{"overlap", bootRecord(linux, Entry{0, 7, 6143, 100}), false, "overlap"},
	} {
		ok, why := Recognise(test.sector, sectors)
		if ok != test.ok || !strings.Contains(why, test.why) || (test.why == "") != (why == "") {
			t.Errorf("%s: got %v, %q; want %v, %q", test.name, ok, why, test.ok, test.why)
		}
	}
}

// chained returns a disk with an extended partition at sector 2048 whose boot
// records have the given sectors and entries, relative as on the disk.
func chained(records map[int64][]Entry) *volumetest.Sparse {
	s := volumetest.NewSparse(64 * mib)
	s.Patch(0, bootRecord(Entry{0, typeExtended, 2048, 100000}))
	for lba, entries := range records {
		s.Patch(lba*512, bootRecord(entries...))
	}
	return s
}

func TestChains(t *testing.T) {
	data := Entry{0, 0x83, 64, 100}
	link := func(to uint32) Entry { return Entry{0, typeExtended, to, 1000} }
	for _, test := range []struct {
		name    string
		records map[int64][]Entry
		starts  []int64 // of the logical partitions, in sectors
		finding string
	}{
		{"nothing made yet", nil, nil, ""},
		{"two", map[int64][]Entry{2048: {data, link(1000)}, 3048: {data}}, []int64{2112, 3112}, ""},
		{"first record empty", map[int64][]Entry{2048: {{}, link(1000)}, 3048: {data}}, []int64{3112}, ""},
		{"link before data", map[int64][]Entry{2048: {link(1000), data}, 3048: {data}}, []int64{2112, 3112}, ""},
		{"backwards", map[int64][]Entry{2048: {data, link(5000)}, 7048: {data, link(1000)}, 3048: {data}}, []int64{2112, 7112, 3112}, ""},
		{"garbage in slots 3 and 4", map[int64][]Entry{2048: {data, {}, {0, 7, 5000, 1 << 30}}}, []int64{2112}, ""},
		{"circle", map[int64][]Entry{2048: {data, link(1000)}, 3048: {data, link(0)}}, []int64{2112, 3112}, "circle"},
		{"no signature", map[int64][]Entry{2048: {data, link(1000)}}, []int64{2112}, "no 55 AA"},
		{"out of the extended partition", map[int64][]Entry{2048: {data, link(100000)}}, []int64{2112}, "outside"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := chained(test.records)
			table, err := Read(s, 512)
			if err != nil {
				t.Fatal(err)
			}
			starts := map[int]int64{}
			for _, p := range table.Partitions {
				if p.Logical {
					starts[p.Number-firstLogical] = p.Start / 512
				}
			}
			for i, want := range test.starts {
				if starts[i] != want {
					t.Errorf("partition %d starts at sector %d, want %d", i+firstLogical, starts[i], want)
				}
			}
			if all := strings.Join(table.Findings, " "); len(starts) != len(test.starts) || !strings.Contains(all, test.finding) || (test.finding == "") != (all == "") {
				t.Errorf("%d logical partitions, findings %q", len(starts), all)
			}
			unchanged(t, s, table)
		})
	}
}

// unchanged writes the table back and expects the bytes that were there.
func unchanged(t *testing.T, s *volumetest.Sparse, table part.Table) {
	t.Helper()
	writes, err := Encode(table, s.Size())
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range writes {
		got := make([]byte, len(w.Data))
		if _, err := s.ReadAt(got, w.Offset); err != nil || !reflect.DeepEqual(got, w.Data) {
			t.Errorf("%s at sector %d changed (%v)", w.What, w.Offset/512, err)
		}
	}
}

func TestRefuses(t *testing.T) {
	data := Entry{0, 0x83, 64, 100}
	long := map[int64][]Entry{}
	for i := range int64(300) {
		long[2048+200*i] = []Entry{data, {0, typeExtended, uint32(200 * (i + 1)), 200}}
	}
	for name, records := range map[string]map[int64][]Entry{
		"overlapping logicals":         {2048: {data, {0, typeExtended, 10, 1000}}, 2058: {data}},
		"record inside a partition":    {2048: {data, {0, typeExtended, 70, 1000}}, 2118: {{0, 0x83, 100, 1}}},
		"logical behind the disk":      {2048: {{0, 0x83, 1 << 30, 1}}},
		"three hundred logical drives": long,
	} {
		var damage *part.DamageError
		if table, err := Read(chained(records), 512); !errors.As(err, &damage) {
			t.Errorf("%s: %d partitions, %v; want a DamageError", name, len(table.Partitions), err)
		}
	}
}

func TestPartitionCutOff(t *testing.T) {
	s := volumetest.NewSparse(64 * mib)
	s.Patch(0, bootRecord(Entry{0, 0x83, 2048, 1 << 30}))
	table, err := Read(s, 512)
	if err != nil || len(table.Findings) != 1 || table.Partitions[0].Length != 63*mib {
		t.Fatalf("%+v, %v", table, err)
	}
	unchanged(t, s, table)
}

func FuzzTable(f *testing.F) {
	data := Entry{0, 0x83, 64, 100}
	f.Add(chained(map[int64][]Entry{2048: {data, {0, 5, 1000, 1000}}, 3048: {data}}).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := volumetest.ParseSparse(data)
		if err != nil || s.Size() < Size {
			return
		}
		first := make([]byte, Size)
		s.ReadAt(first, 0)
		if ok, _ := Recognise(first, s.Size()/512); !ok {
			return
		}
		table, err := Read(s, 512)
		if err != nil {
			return
		}
		if err := table.Reserved().Valid(s.Size()); err != nil {
			t.Error(err)
		}
		table.Gaps()
		if table.MinDiskSize() <= s.Size() {
			unchanged(t, s, table)
		}
	})
}
