package mbr

import (
	"fmt"
	"slices"
)

// Recognise reports whether the first sector of a disk of the given number of
// sectors is a master boot record. 55 AA at its end is not enough: boot sectors
// of file systems have it too, and images of CDs carry entries that overlap. A
// sector that is no MBR although it nearly is one comes with the reason, as a
// clause for the user.
//
// Accepted are sectors whose four entries all have a boot indicator of 00 or 80,
// start behind LBA 0 and on the disk, and do not overlap. One without any entry
// is a table only if it does not begin with a jump, as boot sectors do.
func Recognise(sector []byte, sectors int64) (ok bool, why string) {
	if !Signed(sector) {
		return false, ""
	}
	used, err := plausible(sector, sectors)
	switch {
	case err != nil && (BootSector(sector) || used == 0):
		return false, ""
	case err != nil:
		return false, err.Error()
	case used == 0:
		return sector[0] != 0xEB && sector[0] != 0xE9, ""
	}
	return true, ""
}

// plausible counts the used entries and returns what is wrong with the first bad one.
func plausible(sector []byte, sectors int64) (used int, err error) {
	var entries []Entry
	for slot := range Slots {
		e := EntryAt(sector, slot)
		if e.Flag&^activeFlag != 0 {
			return used, fmt.Errorf("entry %d has the boot indicator %#02x", slot+1, e.Flag)
		}
		if !e.Used() {
			continue
		}
		used++
		if e.Start == 0 || int64(e.Start) >= sectors {
			return used, fmt.Errorf("entry %d starts at sector %d of %d", slot+1, e.Start, sectors)
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b Entry) int { return int(int64(a.Start) - int64(b.Start)) })
	for i := 1; i < len(entries); i++ {
		if entries[i-1].End() > int64(entries[i].Start) {
			return used, fmt.Errorf("the entries that start at sectors %d and %d overlap", entries[i-1].Start, entries[i].Start)
		}
	}
	return used, nil
}
