package fit

import (
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/ingot-imaging/ingot/internal/part"
	tables "github.com/ingot-imaging/ingot/internal/part/all"
)

// FuzzNewPlan plans disks of arbitrary numbers. Nothing may panic or hang, and what
// is planned can be written.
func FuzzNewPlan(f *testing.F) {
	for _, d := range []disk{debianUEFI(), debianBIOS(), windows11(), fedora(), dataDisk(), debianLVM(), oldSectors(), bare()} {
		for _, target := range []Target{{d.table.DiskSize, 512}, {d.table.DiskSize * 3, 4096}, {d.table.DiskSize / 2, 512}} {
			f.Add(encodeDisk(d, target), "auto")
			f.Add(encodeDisk(d, target), "proportional")
		}
	}
	f.Add(encodeDisk(dataDisk(), Target{1 << 60, 512}), "7")
	f.Fuzz(func(t *testing.T, data []byte, grow string) {
		d, target := decodeDisk(data)
		p, err := NewPlan(d.table, d.volumes, target, Options{Grow: grow, FileSystems: map[int]string{2: "xfs"}})
		if err != nil {
			p, err = NewPlan(d.table, d.volumes, target, Options{Grow: grow})
		}
		var small *TooSmallError
		if errors.As(err, &small) {
			_, err := NewPlan(d.table, d.volumes, Target{small.Need, target.SectorSize}, Options{Grow: "none"})
			if small.Need <= small.Have || small.Have != target.Size || errors.As(err, &small) {
				t.Errorf("needs %d of %d: %v", small.Need, small.Have, err)
			}
			return
		}
		if err != nil {
			return
		}
		if _, err := tables.Encode(p.Table, target.Size); err != nil {
			t.Error(err)
		}
		for _, s := range p.Steps {
			if s.To.Start < 0 || s.To.Length < 0 || s.To.Length > target.Size-s.To.Start {
				t.Errorf("partition %d leaves the disk: %v", s.Partition, s.To)
			}
		}
		p.Picture(io.Discard, len(grow), true)
	})
}

func fuzzedKinds() []string {
	return []string{"ext4", "xfs", "btrfs", "ntfs", "fat32", "fat16", "swap", "lvm2", "unknown", "ext2"}
}

// encodeDisk turns a disk into numbers: the kind, the sizes, then those of each
// partition.
func encodeDisk(d disk, target Target) []byte {
	var out []byte
	put := func(values ...int64) {
		for _, v := range values {
			out = binary.LittleEndian.AppendUint64(out, uint64(v))
		}
	}
	put(map[part.Kind]int64{part.GPT: 0, part.MBR: 1, part.None: 2}[d.table.Kind], int64(d.table.SectorSize), d.table.DiskSize, target.Size, int64(target.SectorSize))
	partitions := d.table.Partitions
	if len(partitions) == 0 {
		partitions = []part.Partition{{}}
	}
	for _, p := range partitions {
		v := Volume{Kind: "container"}
		for _, w := range d.volumes {
			if w.Partition == p.Number {
				v = w
			}
		}
		kind, system := int64(slices.Index(fuzzedKinds(), v.Kind)), int64(0)
		if v.System {
			system = 1
		}
		put(int64(p.Number), p.Start, p.Length, kind, v.BlockSize, v.End, v.Smallest, v.RebuildSize, system)
	}
	return out
}

// decodeDisk makes a disk of any numbers. A kind that is none is an extended
// partition.
func decodeDisk(data []byte) (d disk, target Target) {
	next := func() int64 {
		if len(data) < 8 {
			data = nil
			return 0
		}
		v := int64(binary.LittleEndian.Uint64(data))
		data = data[8:]
		return v
	}
	d.table = part.Table{Kind: []part.Kind{part.GPT, part.MBR, part.None}[uint64(next())%3], ID: "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"}
	if d.table.Kind == part.MBR {
		d.table.ID = "c0ffee01"
	}
	d.table.SectorSize, d.table.DiskSize = int(next()), next()
	target = Target{next(), int(next())}
	for len(data) > 0 {
		p := part.Partition{Number: int(next()), Start: next(), Length: next(), Type: "83", ID: "11111111-2222-4333-8444-000000000000"}
		kind, kinds := next(), fuzzedKinds()
		v := Volume{Partition: p.Number, BlockSize: next(), End: next(), Smallest: next(), RebuildSize: next()}
		flags := next()
		v.System, v.Files = flags&1 != 0, flags&2 != 0
		p.Extended, p.Logical = kind < 0 || kind >= int64(len(kinds)), p.Number > 4
		if !p.Extended {
			v.Kind = kinds[kind]
			d.volumes = append(d.volumes, v)
		}
		if d.table.Kind == part.GPT {
			p.Type = []string{typeLinux, typeESP, typeBIOSBoot, typeMSR}[uint64(flags)>>2%4]
		}
		if d.table.Kind != part.None {
			d.table.Partitions = append(d.table.Partitions, p)
		}
	}
	return d, target
}
