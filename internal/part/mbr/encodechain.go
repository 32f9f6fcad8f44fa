package mbr

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// placed is a boot record on its way to the target.
type placed struct {
	record
	at      int64 // sector on the target
	end     int64 // sector behind the last logical partition in it
	numbers []int // of the partitions in record.data
	moved   bool  // the record or a partition in it changed its place
	from    Entry // the entry that led to the record on the source
	fromRaw []byte
}

// chain encodes one extended partition's records. Records that lost all their
// partitions are dropped, except the first, where the chain starts.
func (e *encoder) chain(c chain) ([]part.Write, error) {
	kept := e.place(c)
	ext, ok := e.want[c.slot+1]
	if !ok {
		if len(kept) > 1 || len(kept) == 1 && len(e.remaining(kept[0].numbers)) > 0 {
			return nil, fmt.Errorf("write MBR: partition %d is gone, but logical partitions in it are not", c.slot+1)
		}
		return nil, nil
	}
	base := ext.Start / e.sectorSize
	writes := make([]part.Write, 0, len(kept))
	for i, p := range kept {
		for j, slot := range p.data {
			if err := e.put(p.sector, slot, p.numbers[j], p.at); err != nil {
				return nil, err
			}
		}
		switch {
		case i+1 < len(kept):
			kept[i+1].linkFrom(p, base)
		case p.link >= 0 && (p.at != p.lba || p.lba != c.records[len(c.records)-1].lba):
			Entry{}.Put(p.sector, p.link) // what it led to is gone; a link to nowhere stays as it was
		}
		w := part.Write{Offset: p.at * e.sectorSize, Data: p.sector, What: fmt.Sprintf("extended boot record %d", i+1)}
		if err := e.clear(w, ext); err != nil {
			return nil, err
		}
		writes = append(writes, w)
	}
	return writes, nil
}

// linkFrom makes the record before p lead to p. The entry that led to p on the
// source is taken over; its size is renewed only when something moved.
func (p *placed) linkFrom(before placed, base int64) {
	copy(rawEntry(before.sector, before.link), p.fromRaw)
	link := p.from
	link.Start = uint32(p.at - base)
	if p.moved {
		link.Size = uint32(p.end - p.at)
	}
	link.Put(before.sector, before.link)
}

// place decides which records stay and where they go: the first to the start of
// the extended partition, each other one as far before its partition as it was.
func (e *encoder) place(c chain) []placed {
	var kept []placed
	number := e.firstNumber(c)
	for i, r := range c.records {
		p := placed{record: r, at: r.lba}
		if i > 0 {
			p.from, p.fromRaw = e.linkTo(c, i)
		}
		for range r.data {
			p.numbers = append(p.numbers, number)
			number++
		}
		left := e.remaining(p.numbers)
		for k := len(left) - 1; k >= 0; k-- {
			was, now := e.old[left[k]], e.want[left[k]]
			p.moved = p.moved || was.Start != now.Start || was.Length != now.Length
			p.at = r.lba + (now.Start-was.Start)/e.sectorSize
			p.end = max(p.end, (now.Start+now.Length)/e.sectorSize)
		}
		if i == 0 {
			p.at = e.want[c.slot+1].Start / e.sectorSize
		}
		if i == 0 || len(left) > 0 || len(r.data) == 0 {
			kept = append(kept, p)
		}
	}
	return kept
}

// linkTo is the entry that leads to record i of a chain, decoded and raw.
func (e *encoder) linkTo(c chain, i int) (Entry, []byte) {
	before := c.records[i-1]
	raw := append([]byte(nil), rawEntry(before.sector, before.link)...)
	return EntryAt(before.sector, before.link), raw
}

// firstNumber is the number of the first logical partition in chain c.
func (e *encoder) firstNumber(c chain) int {
	n := firstLogical
	for _, other := range e.source.chains {
		if other.slot == c.slot {
			break
		}
		for _, r := range other.records {
			n += len(r.data)
		}
	}
	return n
}

// remaining returns those of the numbers that are still wanted.
func (e *encoder) remaining(numbers []int) []int {
	var out []int
	for _, n := range numbers {
		if _, ok := e.want[n]; ok {
			out = append(out, n)
		}
	}
	return out
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
