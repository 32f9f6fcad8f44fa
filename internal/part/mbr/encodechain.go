package mbr

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// usualLead is how far before its partition fdisk puts a boot record, bytes.
const usualLead = 1 << 20

// chain encodes the boot records of extended partition ext. As long as nothing
// in it was moved, resized, added or removed they stay where they are.
func (e *encoder) chain(ext part.Partition) ([]part.Write, error) {
	var writes []part.Write
	var err error
	if c := e.unmoved(ext); c != nil {
		writes, err = e.update(*c)
	} else {
		writes, err = e.rebuild(ext, e.inside(ext))
	}
	if err != nil {
		return nil, err
	}
	for _, w := range writes {
		if err := e.clear(w, ext); err != nil {
			return nil, err
		}
	}
	return writes, nil
}

// inside returns the logical partitions in ext, ascending by number.
func (e *encoder) inside(ext part.Partition) []part.Partition {
	var out []part.Partition
	for _, p := range e.want {
		if p.Number > Slots && p.Extent().Intersect(ext.Extent()) == p.Extent() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b part.Partition) int { return cmp.Compare(a.Number, b.Number) })
	return out
}

// unmoved returns the chain that was read for ext when it holds what is wanted,
// at the places that are wanted; else nil. What it holds may lie outside of ext.
func (e *encoder) unmoved(ext part.Partition) *chain {
	i := slices.IndexFunc(e.source.chains, func(c chain) bool { return c.slot+1 == ext.Number })
	if i < 0 || e.old[ext.Number].Start != ext.Start {
		return nil
	}
	held := e.numbers(e.source.chains[i])
	for _, number := range held {
		old, now := e.old[number], e.want[number]
		if old.Start != now.Start || old.Length != now.Length {
			return nil
		}
	}
	for _, p := range e.inside(ext) {
		if !slices.Contains(held, p.Number) {
			return nil
		}
	}
	return &e.source.chains[i]
}

// numbers are those of the logical partitions in chain c.
func (e *encoder) numbers(c chain) (out []int) {
	number := firstLogical
	for _, other := range e.source.chains {
		for _, r := range other.records {
			for range r.data {
				if other.slot == c.slot {
					out = append(out, number)
				}
				number++
			}
		}
	}
	return out
}

// update encodes records that stay where they are. A link that leads nowhere
// stays as well.
func (e *encoder) update(c chain) ([]part.Write, error) {
	numbers := e.numbers(c)
	var writes []part.Write
	for _, r := range c.records {
		for _, slot := range r.data {
			if err := e.put(r.sector, slot, numbers[0], r.lba); err != nil {
				return nil, err
			}
			numbers = numbers[1:]
		}
		writes = append(writes, e.write(r.sector, r.lba, len(writes)))
	}
	return writes, nil
}

// rebuild makes a chain anew in the form that all tools write: a record for each
// partition, the partition in its first slot, the link in its second.
func (e *encoder) rebuild(ext part.Partition, inside []part.Partition) ([]part.Write, error) {
	places, err := e.places(ext, inside)
	if err != nil {
		return nil, err
	}
	base := ext.Start / e.sectorSize
	if len(inside) == 0 {
		empty := make([]byte, e.sectorSize)
		Sign(empty)
		return []part.Write{e.write(empty, base, 0)}, nil
	}
	var writes []part.Write
	for i, p := range inside {
		sector := e.recordOf(p.Number)
		if err := e.put(sector, 0, p.Number, places[i]); err != nil {
			return nil, err
		}
		if i+1 < len(inside) {
			next := inside[i+1]
			size := (next.Start+next.Length)/e.sectorSize - places[i+1]
			Entry{Type: typeExtended, Start: uint32(places[i+1] - base), Size: uint32(size)}.Put(sector, 1)
		}
		writes = append(writes, e.write(sector, places[i], i))
	}
	return writes, nil
}

// places says in which sector the boot record of each partition goes: the first
// to the start of ext, where the chain begins, each other one as far before its
// partition as it was, or as there is room.
func (e *encoder) places(ext part.Partition, inside []part.Partition) ([]int64, error) {
	base := ext.Start / e.sectorSize
	var places []int64
	for i, p := range inside {
		start, before := p.Start/e.sectorSize, base+1
		for _, other := range inside {
			if end := (other.Start + other.Length + e.sectorSize - 1) / e.sectorSize; end <= start {
				before = max(before, end)
			}
		}
		at := max(before, start-e.lead(p.Number))
		if i == 0 {
			at = base
		}
		if at >= start {
			return nil, fmt.Errorf("write MBR: there is no room for a boot record before partition %d at %#x", p.Number, p.Start)
		}
		places = append(places, at)
	}
	return places, nil
}

// record returns the boot record that held a logical partition, nil for a new one.
func (e *encoder) record(number int) *record {
	at := firstLogical
	for _, c := range e.source.chains {
		for i, r := range c.records {
			if at += len(r.data); number < at {
				return &c.records[i]
			}
		}
	}
	return nil
}

// lead is how far before its partition a boot record lies, sectors.
func (e *encoder) lead(number int) int64 {
	if r := e.record(number); r != nil {
		if lead := e.old[number].Start/e.sectorSize - r.lba; lead > 0 {
			return lead
		}
	}
	return max(1, usualLead/e.sectorSize)
}

// recordOf returns the sector of a partition's boot record without its entries.
func (e *encoder) recordOf(number int) []byte {
	sector := make([]byte, e.sectorSize)
	if r := e.record(number); r != nil {
		copy(sector, r.sector)
	}
	for slot := range Slots {
		Entry{}.Put(sector, slot)
	}
	Sign(sector)
	return sector
}

func (e *encoder) write(sector []byte, lba int64, index int) part.Write {
	return part.Write{Offset: lba * e.sectorSize, Data: sector, What: fmt.Sprintf("extended boot record %d", index+1)}
}

// clear makes sure that a boot record destroys no partition.
func (e *encoder) clear(w part.Write, ext part.Partition) error {
	own := extent.Extent{Start: w.Offset, Length: int64(len(w.Data))}
	if ext.Extent().Intersect(own) != own {
		return fmt.Errorf("write MBR: %s at %#x would lie outside partition %d", w.What, w.Offset, ext.Number)
	}
	for _, p := range e.want {
		if !p.Extended && p.Extent().Intersect(own).Length > 0 {
			return fmt.Errorf("write MBR: %s at %#x would lie inside partition %d", w.What, w.Offset, p.Number)
		}
	}
	return nil
}
