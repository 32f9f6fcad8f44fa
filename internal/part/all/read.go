// Package all reads and writes partition tables of every kind.
//
// It owns the order in which the kinds are tried and what is common to writing
// them: making an old table unrecognisable, and giving a table new IDs. Callers
// start with Read.
package all

import (
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/part/gpt"
	"github.com/ingot-imaging/ingot/internal/part/mbr"
)

// bigSector is the sector size of '4K native' disks, bytes.
const bigSector = 4096

// Read returns the partition table of a disk: GPT, else MBR, else a Table of
// Kind None without partitions, which is no error. It fails with a
// *part.DamageError when there is a table that cannot be trusted, and with the
// error of reading.
func Read(r block.Reader) (part.Table, error) {
	size := block.SectorSizeOf(r)
	if r.Size() < 2*int64(size) {
		return none(r, ""), nil
	}
	first := make([]byte, mbr.Size)
	if err := block.ReadFull(r, first, 0); err != nil {
		return part.Table{}, fmt.Errorf("read partition table: %w", err)
	}
	found, stale := findGPT(r, first)
	if found != nil {
		return found.Table()
	}
	t, err := readMBR(r, first)
	if err != nil {
		return part.Table{}, err
	}
	if stale {
		t.Findings = append(t.Findings, "An old GPT is left on the disk; it is not in force, because sector 0 holds something else.")
	}
	return t, nil
}

// readMBR returns the MBR, or the table of Kind None.
func readMBR(r block.Reader, first []byte) (part.Table, error) {
	size := block.SectorSizeOf(r)
	ok, why := mbr.Recognise(first, r.Size()/int64(size))
	if !ok {
		return none(r, why), nil
	}
	return mbr.Read(r, size)
}

// findGPT returns the GPT that is in force, nil when there is none; stale says
// that there is one that is not. As for the kernel and fdisk, the protective MBR
// decides. Without one a primary copy counts if sector 0 has no other meaning; a
// lone backup copy never does, for it outlives whatever replaced its table.
func findGPT(r block.Reader, first []byte) (inForce *gpt.Found, stale bool) {
	for _, size := range sectorSizes(r) {
		found := gpt.Find(r, size)
		primary, backup := found.Valid()
		protected := mbr.Protective(first)
		switch {
		case protected && (primary || backup), primary && meaningless(first, r.Size()/int64(size)):
			return found, false
		case protected && inForce == nil:
			inForce = found // both copies are broken, unless another sector size fits
		}
		stale = stale || primary || backup
	}
	return inForce, stale
}

// sectorSizes are the sizes to try. The table of a 4K native disk also turns up
// in image files, and behind USB bridges that present sectors of 512 bytes.
func sectorSizes(r block.Reader) []int {
	size := block.SectorSizeOf(r)
	if size == block.DefaultSectorSize {
		return []int{size, bigSector}
	}
	return []int{size}
}

// meaningless reports whether a sector 0 is neither an MBR with partitions nor
// the boot sector of a file system.
func meaningless(first []byte, sectors int64) bool {
	if mbr.BootSector(first) {
		return false
	}
	ok, _ := mbr.Recognise(first, sectors)
	return !ok || mbr.Empty(first)
}

func none(r block.Reader, why string) part.Table {
	t := part.Table{
		Kind: part.None, SectorSize: block.SectorSizeOf(r), DiskSize: r.Size(), Partitions: []part.Partition{},
	}
	if why != "" {
		t.Findings = []string{fmt.Sprintf("Sector 0 looks like a partition table, but %s; the disk is taken as one volume.", why)}
	}
	return t
}
