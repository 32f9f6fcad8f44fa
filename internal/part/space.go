package part

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// Reserved returns the bytes of the source disk that belong to the table
// itself. Encode writes all of them, so nobody else needs to carry them.
//
//   - GPT: LBA 0, both headers and both entry arrays, where they were found and
//     where they belong on a disk of DiskSize;
//   - MBR: LBA 0 and the sector of every extended boot record;
//   - None: nothing.
func (t Table) Reserved() extent.List {
	switch t.Kind {
	case GPT:
		return t.gptReserved()
	case MBR:
		return t.mbrReserved()
	}
	return nil
}

func (t Table) mbrReserved() extent.List {
	sector := int64(t.SectorSize)
	own := []extent.Extent{{Start: 0, Length: min(sector, t.DiskSize)}}
	for _, s := range t.Sectors {
		start := s.Offset / sector * sector
		own = append(own, extent.Extent{Start: start, Length: s.Offset + int64(len(s.Data)) - start})
	}
	return extent.Of(own...).Align(sector, t.DiskSize)
}

// Gaps returns the space of the source disk that is in no partition and not
// Reserved, ascending: where boot loaders may live. Inside an MBR extended
// partition that is the space between the logical ones. A disk without a table
// has no gaps, because its one volume fills it.
func (t Table) Gaps() []extent.Extent {
	if t.Kind == None {
		return nil
	}
	return t.occupied().Union(t.Reserved()).Complement(t.DiskSize)
}

// occupied is the space that partitions hold, without extended containers.
func (t Table) occupied() extent.List {
	var all []extent.Extent
	for _, p := range t.Partitions {
		if !p.Extended {
			all = append(all, p.Extent())
		}
	}
	return extent.Of(all...)
}

// MinDiskSize is the size in bytes of the smallest disk that holds the
// partitions where they are, and the table with its backup. Without a table it
// is the size of the source disk.
func (t Table) MinDiskSize() int64 {
	if t.Kind == None {
		return t.DiskSize
	}
	end := int64(t.SectorSize)
	for _, p := range t.Partitions {
		end = max(end, p.Start+p.Length)
	}
	if t.Kind == GPT {
		return t.gptMinDiskSize(end)
	}
	return end
}

// mbrReach is how many sectors an MBR can address: starts and sizes have 32 bits,
// and Windows takes no partition whose end does not fit into them either.
const mbrReach = math.MaxUint32

// Usable is the space that the table leaves to partitions on a disk of diskSize
// bytes. Length is not positive when there is none.
func (t Table) Usable(diskSize int64) extent.Extent {
	sector := int64(t.SectorSize)
	switch t.Kind {
	case GPT:
		end := diskSize / sector * sector
		primary := t.gptHeader(sector)
		entries := t.gptEntryBytes(primary)
		start := t.gptFirstUsable(primary, entries)
		return extent.Extent{Start: start, Length: end - entries - sector - start}
	case MBR:
		return extent.Extent{Start: sector, Length: min(diskSize, mbrReach*sector) - sector}
	}
	return extent.Extent{Length: diskSize}
}

// Validate checks the partitions against each other and against a disk of
// diskSize bytes: whole sectors, inside the disk, numbered once, not
// overlapping. The error is a *DamageError.
func (t Table) Validate(diskSize int64) error {
	numbers := map[int]bool{}
	for _, p := range t.Partitions {
		switch {
		case p.Start <= 0 || p.Length <= 0 || p.Length > diskSize-p.Start:
			return t.damage(p, "it lies outside the disk, which ends at %#x", diskSize)
		case p.Start%int64(t.SectorSize) != 0 || p.Length%int64(t.SectorSize) != 0 && p.Start+p.Length != diskSize:
			return t.damage(p, "it does not consist of whole sectors of %d bytes", t.SectorSize)
		case numbers[p.Number]:
			return t.damage(p, "its number is taken twice")
		}
		numbers[p.Number] = true
	}
	return t.disjoint()
}

// disjoint compares neighbours only, containers with containers and the rest
// with the rest.
func (t Table) disjoint() error {
	sorted := slices.Clone(t.Partitions)
	slices.SortFunc(sorted, func(a, b Partition) int { return cmp.Compare(a.Start, b.Start) })
	last := map[bool]Partition{}
	for _, p := range sorted {
		before, ok := last[p.Extended]
		if ok && before.Start+before.Length > p.Start {
			return t.damage(p, "it overlaps partition %d, which ends at %#x", before.Number, before.Start+before.Length)
		}
		last[p.Extended] = p
	}
	return nil
}

func (t Table) damage(p Partition, format string, args ...any) error {
	return &DamageError{t.Kind, fmt.Sprintf("partition %d", p.Number), p.Start, fmt.Sprintf(format, args...)}
}
