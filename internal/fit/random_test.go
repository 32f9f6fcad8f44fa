package fit

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
	"github.com/ingot-imaging/ingot/internal/volume/volumetest"
)

// TestRandomLayouts plans layouts that nobody thought of, for disks of all sizes.
func TestRandomLayouts(t *testing.T) {
	for seed := range uint64(1500) {
		random := rand.New(rand.NewPCG(seed, 3))
		d := randomDisk(t, random)
		sector := d.table.SectorSize
		if random.IntN(4) == 0 {
			sector = 512 + 4096 - sector
		}
		opts := Options{Grow: []string{"auto", "none", "proportional", "1"}[random.IntN(4)]}
		need := exactNeed(t, d, sector, opts)
		if need == 0 {
			continue
		}
		for _, size := range []int64{need, need + random.Int64N(64)*mib + random.Int64N(64)*int64(sector), 2*need + random.Int64N(gib), d.table.DiskSize} {
			p, err := NewPlan(d.table, d.volumes, Target{size, sector}, opts)
			if size < need {
				continue
			}
			if option := new(OptionError); errors.As(err, &option) {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d, %d bytes: %v", seed, size, err)
			}
			checkPlan(t, d, p)
			checkReadBack(t, p)
			if size == d.table.DiskSize && sector == d.table.SectorSize && opts.Grow == "auto" && !reflect.DeepEqual(p.Table, d.table) {
				t.Errorf("on the source's own disk:\n got %+v\nwant %+v", p.Table.Partitions, d.table.Partitions)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d: %+v", seed, d.table.Partitions)
		}
	}
}

// exactNeed checks that the smallest disk is the smallest, and returns its size, 0
// when there is none.
func exactNeed(t *testing.T, d disk, sector int, opts Options) int64 {
	t.Helper()
	try := func(size int64) (int64, bool) {
		p, err := NewPlan(d.table, d.volumes, Target{size, sector}, Options{Grow: "none"})
		var small *TooSmallError
		var refused *RefusedError
		switch {
		case errors.As(err, &small):
			return small.Need, false
		case errors.As(err, &refused):
			return 0, false
		case err != nil:
			t.Fatal(err)
		}
		return p.Need, true
	}
	need, ok := try(64 << 40)
	if !ok {
		return 0
	}
	for _, less := range []int64{0, int64(sector), mib, need / 2} {
		got, ok := try(need - less)
		if ok != (less == 0) || got != need {
			t.Fatalf("the smallest disk has %d bytes; %d less: need %d, %v", need, less, got, ok)
		}
	}
	return need
}

// onDisk is a disk in memory with sectors of a given size.
type onDisk struct {
	*volumetest.Sparse
	sector int
}

func (o onDisk) SectorSize() int { return o.sector }

// written reads back the table that was written to an empty disk.
func written(t *testing.T, table part.Table, size int64) part.Table {
	t.Helper()
	writes, err := tables.Encode(table, size)
	if err != nil {
		t.Fatalf("encode: %v\n%+v", err, table.Partitions)
	}
	s := volumetest.NewSparse(size)
	for _, w := range writes {
		s.Patch(w.Offset, w.Data)
	}
	got, err := tables.Read(onDisk{s, table.SectorSize})
	if err != nil {
		t.Fatalf("read back: %v", err)
	}
	return got
}

func checkReadBack(t *testing.T, p *Plan) {
	t.Helper()
	got := written(t, p.Table, p.Target.Size)
	if got.ID != p.Table.ID || len(got.Findings) > 0 || !reflect.DeepEqual(got.Partitions, p.Table.Partitions) {
		t.Errorf("read back:\n got %+v %q\nwant %+v", got.Partitions, got.Findings, p.Table.Partitions)
	}
}

// randomDisk makes a disk with a few partitions, aligned or not, close together or
// not, on a GPT or on an MBR with logical partitions.
func randomDisk(t *testing.T, random *rand.Rand) disk {
	sector := []int64{512, 512, 512, 4096}[random.IntN(4)]
	size := (20*gib + random.Int64N(20*gib)) / sector * sector
	parts := randomPartitions(random, sector)
	d := gptDisk(size, parts...)
	if random.IntN(2) == 0 {
		d = mbrDisk(size, withLogical(random, parts, sector)...)
	}
	d.table.SectorSize = int(sector)
	d.table = written(t, d.table, size)
	return d
}

func randomPartitions(random *rand.Rand, sector int64) (parts []partition) {
	at := []int64{mib, 63 * sector}[random.IntN(2)]
	for range 1 + random.IntN(6) {
		p := partition{start: at + random.Int64N(2)*random.Int64N(gib)/sector*sector, typ: typeLinux}
		p.length = (1+random.Int64N(2600))*mib + random.Int64N(2)*random.Int64N(2048)*sector
		p.Volume = randomVolume(random, p.length)
		if random.IntN(5) == 0 {
			p.typ = []string{typeESP, typeBIOSBoot, typeRecovery, typeMSR}[random.IntN(4)]
		}
		at = p.start + p.length + []int64{0, sector, mib, 100 * mib}[random.IntN(4)]
		parts = append(parts, p)
	}
	return parts
}

// withLogical turns the partitions from some point on into logical ones, in the
// chain in this or that order.
func withLogical(random *rand.Rand, parts []partition, sector int64) []partition {
	first := min(random.IntN(5), 3)
	if len(parts) <= first {
		first = len(parts)
	}
	logical := parts[first:]
	step, number := 1, 5
	if random.IntN(4) == 0 {
		step, number = -1, 4+len(logical)
	}
	shift := int64(0)
	for i := range parts {
		parts[i].typ, parts[i].number = "83", i+1
		if i >= first {
			parts[i].number, number = number, number+step
			shift += []int64{2 * sector, 63 * sector, mib}[random.IntN(3)]
		}
		parts[i].start += shift
	}
	if len(logical) == 0 {
		return parts
	}
	start := logical[0].start - 2*sector
	end := logical[len(logical)-1].start + logical[len(logical)-1].length
	container := partition{number: 4, start: start, length: end - start + random.Int64N(2)*random.Int64N(4096)*sector, typ: "05"}
	return slices.Insert(parts, first, container)
}

func randomVolume(random *rand.Rand, length int64) Volume {
	v := Volume{Kind: []string{"ext4", "ext4", "xfs", "btrfs", "ntfs", "fat32", "swap", "lvm2", ""}[random.IntN(9)], System: random.IntN(4) == 0}
	v.BlockSize = []int64{1024, 4096}[random.IntN(2)]
	v.Smallest = random.Int64N(2) * random.Int64N(length)
	v.RebuildSize = random.Int64N(2) * random.Int64N(length)
	v.Files = random.IntN(8) == 0 && v.RebuildSize > 0 && remade(v.Kind)
	return v
}
