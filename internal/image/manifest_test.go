package image

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ingot-imaging/ingot/internal/chunk"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

func sample() *Manifest {
	return &Manifest{
		Format: Format, Created: time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC), Program: "1.0.0", Host: "pc", Note: "ä note", Hash: chunk.BLAKE3,
		Disk: Disk{Path: "/dev/sda", Model: "M", Serial: "S", Size: 1 << 30, SectorSize: 512, PhysicalSector: 4096},
		Table: &part.Table{Kind: part.GPT, SectorSize: 512, DiskSize: 1 << 30, ID: "E11A4BF1-6F68-4F95-85C3-DD5296E9E7C5",
			Partitions: []part.Partition{{Number: 1, Start: 1 << 20, Length: 300 << 20}}},
		Regions: []Region{
			{Start: 17408, Size: 1<<20 - 17408, Data: 1<<20 - 17408, Zero: 1 << 19, End: 1<<20 - 17408, Rest: Zeros},
			{
				Partition: 1, Start: 1 << 20, Size: 300 << 20, Data: 100 << 20, Zero: 1 << 20, End: 299 << 20, Rest: Free,
				Volume:  &Volume{Kind: "ext4", Label: "root", UUID: "u", Size: 300 << 20, BlockSize: 4096, Method: UsedBlocks, Notes: []string{"n"}},
				Omitted: []Omission{{"swapfile", 5 << 20}}, Unreadable: extent.List{{Start: 4096, Length: 512}},
				Map: []SegmentRef{{0, chunk.BLAKE3.Sum([]byte("a"))}, {2 * SegmentSpan, chunk.BLAKE3.Sum([]byte("b"))}},
			},
		},
	}
}

func TestManifestRoundTrip(t *testing.T) {
	m := sample()
	data, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, m) {
		t.Errorf("got  %+v\nwant %+v", got, m)
	}
	if again, err := got.Encode(); err != nil || string(again) != string(data) {
		t.Errorf("it is encoded in two ways, %v", err)
	}
	if got.Data() != m.Regions[0].Data+100<<20 || got.Unreadable() != 512 || got.Region(1).Volume.Label != "root" || got.Region(2) != nil {
		t.Errorf("data %d, unreadable %d", got.Data(), got.Unreadable())
	}
}

// Fields that a newer program adds are no reason to refuse an image; what it
// says one must know is.
func TestNewerManifests(t *testing.T) {
	data, err := sample().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Parse([]byte(strings.Replace(string(data), `"host"`, `"colour": {"of": "money"}, "host"`, 1))); err != nil {
		t.Errorf("a field that is new: %v", err)
	}
	for change, why := range map[string]string{
		`"requires": ["file-tree"], "host"`: `"file-tree"`,
		`"ingotImage": 2, "host"`:           "format 2",
		`"hash": 77, "host"`:                "hash 77",
	} {
		hostile := strings.Replace(string(data), `"host"`, change, 1)
		if strings.HasPrefix(change, `"hash"`) {
			hostile = strings.Replace(string(data), `"hash": 2`, `"hash": 77`, 1)
		}
		if _, err := Parse([]byte(hostile)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v", change, err)
		}
	}
	if _, err := Parse(append(data, "{}"...)); err == nil {
		t.Error("bytes behind its end pass")
	}
}

// Every number that does not fit the others is refused, by Encode as by Parse.
func TestImpossibleManifests(t *testing.T) {
	for name, change := range map[string]func(*Manifest){
		"no disk":              func(m *Manifest) { m.Disk.Size = 0 },
		"a disk beyond 1 EiB":  func(m *Manifest) { m.Disk.Size = 1<<60 + 1 },
		"a sector of 513":      func(m *Manifest) { m.Disk.SectorSize = 513 },
		"an overlap":           func(m *Manifest) { m.Regions[1].Start = 1<<20 - 512 },
		"behind the disk":      func(m *Manifest) { m.Regions[1].Size = 1 << 30 },
		"a length overflow":    func(m *Manifest) { m.Regions[1].Size = 1<<63 - 1 },
		"a negative start":     func(m *Manifest) { m.Regions[0].Start = -1 },
		"an empty region":      func(m *Manifest) { m.Regions[0].Size = 0 },
		"more data than size":  func(m *Manifest) { m.Regions[0].Data = 1 << 20 },
		"more zeros than data": func(m *Manifest) { m.Regions[1].Zero = 101 << 20 },
		"an end outside":       func(m *Manifest) { m.Regions[1].End = 301 << 20 },
		"another rest":         func(m *Manifest) { m.Regions[0].Rest = "ones" },
		"unreadable outside":   func(m *Manifest) { m.Regions[1].Unreadable = extent.List{{Start: 300 << 20, Length: 1}} },
		"a map off the grid":   func(m *Manifest) { m.Regions[1].Map[1].Start = SegmentSpan + 1 },
		"a map twice":          func(m *Manifest) { m.Regions[1].Map[1].Start = 0 },
		"a map outside":        func(m *Manifest) { m.Regions[1].Map[1].Start = 3 * SegmentSpan },
		"too many regions":     func(m *Manifest) { m.Regions = make([]Region, maxRegions+1) },
	} {
		m := sample()
		change(m)
		if _, err := m.Encode(); err == nil {
			t.Errorf("%s: encoded", name)
		}
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Parse(data); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}
