package mbr

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/ingot-imaging/ingot/internal/part"
)

// Encode returns the writes that put t on a disk of diskSize bytes: the extended
// boot records first, LBA 0 last. Partitions may have been added, moved, resized,
// retyped or removed since t was read. A logical partition needs a sector for its
// boot record between itself and what lies before it; those behind a removed one
// are numbered anew by whoever reads the table next.
//
// It fails with a *part.TooSmallError, with a *part.DamageError when partitions
// overlap, and when a place cannot be expressed in 32 bits of sectors.
func Encode(t part.Table, diskSize int64) ([]part.Write, error) {
	if need := t.MinDiskSize(); need > diskSize {
		return nil, &part.TooSmallError{Need: need, Have: diskSize}
	}
	if err := t.Validate(diskSize); err != nil {
		return nil, err
	}
	e, err := newEncoder(t)
	if err != nil {
		return nil, err
	}
	var writes []part.Write
	for _, ext := range e.extended() {
		w, err := e.chain(ext)
		if err != nil {
			return nil, err
		}
		writes = append(writes, w...)
	}
	if n := len(writes); n > 0 {
		writes[n-1].Sync = true
	}
	first, err := e.first(t)
	if err != nil {
		return nil, err
	}
	return append(writes, part.Write{Data: first, Sync: true, What: "master boot record"}), nil
}

// encoder holds the table as it was on the source beside the one that is wanted.
type encoder struct {
	sectorSize int64
	source     source
	old, want  map[int]part.Partition // by number
}

func newEncoder(t part.Table) (*encoder, error) {
	src, err := load(func(lba int64) ([]byte, error) {
		return t.Raw(lba*int64(t.SectorSize), t.SectorSize), nil
	}, t.DiskSize/int64(t.SectorSize))
	if err != nil {
		return nil, err
	}
	Sign(src.first) // a table that was made without a source disk
	e := &encoder{int64(t.SectorSize), src, map[int]part.Partition{}, map[int]part.Partition{}}
	before, _ := src.partitions(e.sectorSize, t.DiskSize)
	for _, p := range before {
		e.old[p.Number] = p
	}
	for _, p := range t.Partitions {
		if p.Number < 1 {
			return nil, fmt.Errorf("write MBR: a partition cannot have the number %d", p.Number)
		}
		e.want[p.Number] = p
	}
	return e, e.contained()
}

// extended returns the containers that are wanted, ascending by number.
func (e *encoder) extended() []part.Partition {
	var out []part.Partition
	for number := 1; number <= Slots; number++ {
		if p := e.want[number]; p.Extended {
			out = append(out, p)
		}
	}
	return out
}

// contained fails when a logical partition lies in no extended one.
func (e *encoder) contained() error {
	held := map[int]bool{}
	for _, ext := range e.extended() {
		if c := e.unmoved(ext); c != nil {
			for _, number := range e.numbers(*c) {
				held[number] = true
			}
		}
		for _, p := range e.inside(ext) {
			held[p.Number] = true
		}
	}
	for number := range e.want {
		if number > Slots && !held[number] {
			return fmt.Errorf("write MBR: partition %d is a logical one and lies in no extended partition", number)
		}
	}
	return nil
}

// first builds LBA 0.
func (e *encoder) first(t part.Table) ([]byte, error) {
	sector := e.source.first
	if t.ID != diskID(sector) {
		id, err := strconv.ParseUint(t.ID, 16, 32)
		if err != nil {
			return nil, fmt.Errorf("write MBR: disk signature %q is not 8 hex digits", t.ID)
		}
		binary.LittleEndian.PutUint32(sector[signatureAt:], uint32(id))
	}
	for slot := range Slots {
		if err := e.put(sector, slot, slot+1, 0); err != nil {
			return nil, err
		}
	}
	return sector, nil
}

// put encodes partition number into a slot of a boot record at LBA base. The
// bytes stay as they are when nothing about the partition changed.
func (e *encoder) put(sector []byte, slot, number int, base int64) error {
	p, ok := e.want[number]
	before := EntryAt(sector, slot)
	if !ok {
		if before.Used() {
			Entry{}.Put(sector, slot)
		}
		return nil
	}
	typ, err := strconv.ParseUint(p.Type, 16, 8)
	if err != nil {
		return fmt.Errorf("write MBR: partition %d has the type %q, not two hex digits", number, p.Type)
	}
	start, size := p.Start/e.sectorSize-base, p.Length/e.sectorSize
	if old := e.old[number]; old.Start == p.Start && old.Length == p.Length && before.Used() {
		size = int64(before.Size) // may reach past the end of a disk that was cut off
	}
	if start <= 0 || start > math.MaxUint32 || size > math.MaxUint32 {
		return fmt.Errorf("write MBR: partition %d of %d sectors at sector %d cannot be expressed in an MBR", number, size, start+base)
	}
	Entry{byte(p.Flags), byte(typ), uint32(start), uint32(size)}.Put(sector, slot)
	return nil
}
