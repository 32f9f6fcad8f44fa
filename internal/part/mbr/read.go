package mbr

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/part"
)

// firstLogical is the number of the first logical partition.
const firstLogical = 5

// Read returns the table of a disk whose LBA 0 passed Recognise. Addresses
// count sectors of sectorSize bytes. It fails with a *part.DamageError when
// logical partitions or boot records overlap, and with the error of reading.
func Read(r block.Reader, sectorSize int) (part.Table, error) {
	source, err := load(func(lba int64) ([]byte, error) {
		b := make([]byte, sectorSize)
		return b, block.ReadFull(r, b, lba*int64(sectorSize))
	}, r.Size()/int64(sectorSize))
	if err != nil {
		return part.Table{}, fmt.Errorf("read MBR partition table: %w", err)
	}
	t := part.Table{
		Kind:       part.MBR,
		SectorSize: sectorSize,
		DiskSize:   r.Size(),
		ID:         diskID(source.first),
		Sectors:    source.sectors(sectorSize),
		Findings:   source.findings,
	}
	var clipped []string
	t.Partitions, clipped = source.partitions(int64(sectorSize), r.Size())
	t.Findings = append(t.Findings, clipped...)
	if err := t.Validate(r.Size()); err != nil {
		return part.Table{}, err
	}
	return t, recordsApart(t)
}

// recordsApart fails when a boot record lies inside a partition that holds data.
func recordsApart(t part.Table) error {
	own := t.Reserved()
	for _, p := range t.Partitions {
		if shared := own.Clip(p.Extent()); !p.Extended && len(shared) > 0 {
			return &part.DamageError{
				Kind: part.MBR, What: "boot record", Offset: shared[0].Start,
				Why: fmt.Sprintf("it lies inside partition %d", p.Number),
			}
		}
	}
	return nil
}

func diskID(sector []byte) string {
	return fmt.Sprintf("%08x", binary.LittleEndian.Uint32(sector[signatureAt:]))
}

// source is everything a table consists of, undecoded.
type source struct {
	first    []byte // LBA 0, a whole sector
	chains   []chain
	findings []string
}

func load(read sectorReader, sectors int64) (source, error) {
	first, err := read(0)
	if err != nil {
		return source{}, err
	}
	s := source{first: first}
	for slot := range Slots {
		e := EntryAt(first, slot)
		if !e.Extended() {
			continue
		}
		c, finding, err := readChain(read, slot, e, sectors)
		if err != nil {
			return source{}, err
		}
		s.chains = append(s.chains, c)
		if finding != "" {
			s.findings = append(s.findings, finding)
		}
	}
	return s, nil
}

func (s source) sectors(sectorSize int) []part.Sectors {
	out := part.NonZero(0, s.first)
	for _, c := range s.chains {
		for _, r := range c.records {
			out = append(out, part.NonZero(r.lba*int64(sectorSize), r.sector)...)
		}
	}
	slices.SortFunc(out, func(a, b part.Sectors) int { return cmp.Compare(a.Offset, b.Offset) })
	return out
}

// partitions decodes the entries, ascending by start. A partition that reaches
// past the disk's end is cut there, as the kernel does, with a finding.
func (s source) partitions(sectorSize, diskSize int64) (out []part.Partition, findings []string) {
	out = []part.Partition{}
	add := func(number int, lba int64, e Entry) {
		p := part.Partition{
			Number: number, Start: lba * sectorSize, Length: int64(e.Size) * sectorSize,
			Type: fmt.Sprintf("%02x", e.Type), Flags: uint64(e.Flag),
			Logical: number >= firstLogical, Extended: number < firstLogical && e.Extended(),
		}
		if over := p.Start + p.Length - diskSize; over > 0 && over < p.Length {
			findings = append(findings, fmt.Sprintf("Partition %d reaches %d bytes past the end of the disk; the part that is there is taken.", number, over))
			p.Length -= over
		}
		out = append(out, p)
	}
	for slot := range Slots {
		if e := EntryAt(s.first, slot); e.Used() {
			add(slot+1, int64(e.Start), e)
		}
	}
	number := firstLogical
	for _, c := range s.chains {
		for _, r := range c.records {
			for _, slot := range r.data {
				e := EntryAt(r.sector, slot)
				add(number, r.lba+int64(e.Start), e)
				number++
			}
		}
	}
	slices.SortStableFunc(out, func(a, b part.Partition) int { return cmp.Compare(a.Start, b.Start) })
	return out, findings
}
