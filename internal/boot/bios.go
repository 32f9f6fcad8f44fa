package boot

import (
	"errors"
	"fmt"
	"strings"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/part"
)

// typeBIOSBoot is a partition type, as part.Partition.Type spells it (GRUB manual,
// "BIOS installation").
const typeBIOSBoot = "21686148-6449-6E6F-744E-656564454649"

// CheckBIOS tells what a BIOS would start from the disk, "" for nothing, and what
// stands against that. The error is one of reading.
func CheckBIOS(r block.Reader, t part.Table) (starts string, findings []Finding, err error) {
	sector := make([]byte, sectorSize)
	if err := block.ReadFull(r, sector, 0); err != nil {
		return "", nil, err
	}
	code := identify(sector)
	if code == NoCode || !signed(sector) {
		return "", nil, nil
	}
	v := Verdict{}
	switch code {
	case GRUBCode:
		err = v.checkGRUB(r, t, sector)
	case WindowsCode, SyslinuxCode, OtherCode:
		err = v.checkActive(r, t, code)
	}
	var wrong *FormatError
	if errors.As(err, &wrong) {
		v.add(Fatal, "Install the boot loader again, with grub-install.", "The boot code does not lead to GRUB: %v.", wrong)
		err = nil
	}
	return v.BIOS, v.Findings, err
}

func (v *Verdict) checkGRUB(r block.Reader, t part.Table, sector []byte) error {
	if t.SectorSize != sectorSize && t.SectorSize != 0 {
		v.add(Warning, "Use UEFI.", "GRUB's boot code for BIOS counts in sectors of 512 bytes, this disk has sectors of %d.", t.SectorSize)
		return nil
	}
	c, err := readCore(r, sector)
	if err != nil {
		return err
	}
	for _, e := range c.extents() {
		if why, s := misplaced(t, e); why != "" {
			v.add(s, "Install the boot loader again, with grub-install.", "GRUB's core image lies %s.", why)
			break
		}
	}
	v.BIOS = string(GRUBCode)
	return nil
}

// misplaced says why a part of a core does not lie where installers put it: in
// the gap before the first partition of an MBR, or in a BIOS boot partition.
func misplaced(t part.Table, e extent.Extent) (why string, s Severity) {
	for _, p := range t.Partitions {
		if p.Extended || e.Start >= p.Start+p.Length || e.Start+e.Length <= p.Start {
			continue
		}
		if p.Type == typeBIOSBoot && p.Start <= e.Start && e.Start+e.Length <= p.Start+p.Length {
			return "", ""
		}
		return fmt.Sprintf("in partition %d, where a file system may move or overwrite it", p.Number), Warning
	}
	if t.Kind == part.GPT {
		return "in no partition of a GPT, where the next partitioning may overwrite it", Warning
	}
	return "", ""
}

// checkActive checks what code finds that starts the active partition.
func (v *Verdict) checkActive(r block.Reader, t part.Table, code Code) error {
	active, number := 0, part.Partition{}
	for _, p := range t.Partitions {
		if isActive(t, p) {
			active++
			number = p
		}
	}
	switch {
	case active == 0 && t.Kind == part.MBR && code != OtherCode:
		v.add(Warning, "Mark the system's partition active.", "The disk has %s boot code and no active partition.", code)
	case active > 1:
		v.add(Warning, "Leave one of them active.", "%d partitions are active.", active)
	case active == 1:
		return v.checkBootSector(r, number, code)
	}
	return nil
}

// isActive knows the boot indicator of an MBR and the attribute 'legacy BIOS
// bootable' of a GPT (UEFI 2.10, table 5-8).
func isActive(t part.Table, p part.Partition) bool {
	switch t.Kind {
	case part.MBR:
		return p.Flags&0x80 != 0
	case part.GPT:
		return p.Flags&4 != 0
	}
	return false
}

// checkBootSector checks the first sector of the active partition.
func (v *Verdict) checkBootSector(r block.Reader, p part.Partition, code Code) error {
	sector := make([]byte, sectorSize)
	if err := block.ReadFull(r, sector, p.Start); err != nil {
		return err
	}
	if !signed(sector) {
		v.add(Fatal, "Install its boot loader again.", "Partition %d is active and has no boot sector.", p.Number)
		return nil
	}
	if identify(sector) == GRUBCode {
		_, err := readCore(r, sector)
		v.BIOS = fmt.Sprintf("%s in partition %d", GRUBCode, p.Number)
		return err
	}
	start, known := hiddenSectors(sector)
	unit := int64(block.SectorSizeOf(r))
	if known && int64(start) != p.Start/unit {
		v.add(Fatal, "", "The boot sector of partition %d says that the partition begins in sector %d, and it begins in %d.", p.Number, start, p.Start/unit)
		return nil
	}
	v.BIOS = strings.TrimSpace(fmt.Sprintf("%s, partition %d", code, p.Number))
	return nil
}
