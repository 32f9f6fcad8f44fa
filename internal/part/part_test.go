package part

import (
	"bytes"
	"errors"
	"testing"
)

func TestNonZeroAndRaw(t *testing.T) {
	data := make([]byte, 4*run+7)
	data[run], data[2*run+3], data[4*run+6] = 1, 2, 3
	table := Table{Sectors: NonZero(1000, data)}
	if len(table.Sectors) != 2 || table.Sectors[0].Offset != 1000+run || len(table.Sectors[0].Data) != 2*run {
		t.Errorf("got %d runs, first at %d", len(table.Sectors), table.Sectors[0].Offset)
	}
	want := append(make([]byte, 10), data...)
	if got := table.Raw(990, len(want)); !bytes.Equal(got, want) {
		t.Error("Raw does not return what NonZero kept")
	}
}

func TestValidate(t *testing.T) {
	const disk = 100 * 512
	for _, test := range []struct {
		name       string
		partitions []Partition
		ok         bool
	}{
		{"touching", []Partition{{Number: 1, Start: 512, Length: 512}, {Number: 2, Start: 1024, Length: disk - 1024}}, true},
		{"logical in its container", []Partition{{Number: 1, Start: 512, Length: 5120, Extended: true}, {Number: 5, Start: 1024, Length: 512}}, true},
		{"unsorted overlap", []Partition{{Number: 1, Start: 1024, Length: 512}, {Number: 2, Start: 512, Length: 1024}}, false},
		{"same number", []Partition{{Number: 1, Start: 512, Length: 512}, {Number: 1, Start: 1024, Length: 512}}, false},
		{"half a sector", []Partition{{Number: 1, Start: 700, Length: 512}}, false},
		{"behind the end", []Partition{{Number: 1, Start: 512, Length: disk}}, false},
		{"overflow", []Partition{{Number: 1, Start: 512, Length: 1<<63 - 1}}, false},
		{"empty", []Partition{{Number: 1, Start: 512}}, false},
	} {
		err := Table{Kind: GPT, SectorSize: 512, Partitions: test.partitions}.Validate(disk)
		var damage *DamageError
		if test.ok != (err == nil) || err != nil && !errors.As(err, &damage) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
