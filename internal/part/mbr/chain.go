package mbr

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/part"
)

// Bounds on a chain of extended boot records: the kernel and fdisk take far
// fewer, and a chain of garbage must end.
const (
	maxRecords  = 512
	maxLogicals = 256
)

// chain is an extended partition's linked list of boot records.
type chain struct {
	slot    int   // of the extended partition's entry in LBA 0
	base    int64 // first sector of the extended partition
	records []record
}

// record is one extended boot record (EBR).
type record struct {
	lba    int64
	sector []byte // the whole sector
	data   []int  // slots that hold logical partitions
	link   int    // slot that leads to the next record, -1 when there is none
}

// sectorReader returns the sector at an LBA.
type sectorReader func(lba int64) ([]byte, error)

// readChain follows the extended partition e of a disk of the given number of
// sectors. Where the chain leads nowhere it ends, and finding says so. An error
// is one of reading, or a *part.DamageError for a chain without an end in sight.
func readChain(read sectorReader, slot int, e Entry, sectors int64) (c chain, finding string, err error) {
	c = chain{slot: slot, base: int64(e.Start)}
	seen := map[int64]bool{}
	logicals := 0
	for lba, size := c.base, int64(e.Size); ; {
		switch {
		case lba >= min(e.End(), sectors):
			return c, unfinished(lba, "lies outside the extended partition"), nil
		case seen[lba]:
			return c, unfinished(lba, "was there before, so the chain is a circle"), nil
		case len(c.records) >= maxRecords || logicals >= maxLogicals:
			return c, "", tooMany(len(c.records), logicals)
		}
		seen[lba] = true
		sector, err := read(lba)
		if err != nil {
			return c, "", err
		}
		if !Signed(sector) {
			if len(c.records) == 0 && allZero(sector) {
				return c, "", nil // an extended partition in which nothing was ever made
			}
			return c, unfinished(lba, "has no 55 AA signature"), nil
		}
		r := parseRecord(sector, lba, size, e)
		c.records = append(c.records, r)
		logicals += len(r.data)
		if r.link < 0 {
			return c, "", nil
		}
		next := EntryAt(sector, r.link)
		lba, size = c.base+int64(next.Start), int64(next.Size)
	}
}

func tooMany(records, logicals int) error {
	return &part.DamageError{
		Kind: part.MBR, What: "chain of extended boot records", Offset: -1,
		Why: fmt.Sprintf("%d records with %d logical partitions are not its end", records, logicals),
	}
}

func unfinished(lba int64, why string) string {
	return fmt.Sprintf("The chain of logical partitions is cut short: the extended boot record at sector %d %s. What lies behind it is taken as space between partitions.", lba, why)
}

// parseRecord classifies the four entries as the kernel does: the first two are
// taken as they are, the others hold garbage on some disks and count only when
// they lie inside the record's own stretch and the extended partition.
func parseRecord(sector []byte, lba, size int64, ext Entry) record {
	r := record{lba: lba, sector: sector, link: -1}
	for slot := range Slots {
		e := EntryAt(sector, slot)
		switch {
		case !e.Used():
		case e.Extended():
			if r.link < 0 {
				r.link = slot
			}
		case slot < 2 || e.End() <= size && lba+e.End() <= ext.End():
			r.data = append(r.data, slot)
		}
	}
	return r
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
