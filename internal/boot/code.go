package boot

import (
	"bytes"
	"encoding/binary"
)

// Code is whose boot code a sector holds.
type Code string

const (
	NoCode       Code = ""
	GRUBCode     Code = "GRUB"
	WindowsCode  Code = "Windows"  // starts the active partition of an MBR
	SyslinuxCode Code = "syslinux" // mbr.bin and gptmbr.bin: start the active partition
	OtherCode    Code = "unknown boot code"
)

const (
	sectorSize = 512 // GRUB's first stages count in these, whatever the disk has
	codeSize   = 440 // bytes of code in a boot record, before the disk's signature
	magicAt    = 510 // 55 AA
)

// identify tells boot code by the messages it can show.
func identify(sector []byte) Code {
	code := sector[:codeSize]
	switch {
	case len(bytes.Trim(code, "\x00")) == 0:
		return NoCode
	case bytes.Contains(code, []byte("GRUB \x00")) && bytes.Contains(code, []byte("Geom\x00")):
		return GRUBCode
	case bytes.Contains(code, []byte("Invalid partition table")):
		return WindowsCode
	case bytes.Contains(code, []byte("Multiple active partitions")), bytes.Contains(code, []byte("Missing OS")):
		return SyslinuxCode
	}
	return OtherCode
}

func signed(sector []byte) bool { return binary.LittleEndian.Uint16(sector[magicAt:]) == 0xAA55 }

// hiddenAt is the place of the field 'hidden sectors' in the boot sector of FAT
// and NTFS (Microsoft's FAT specification 1.03, BPB_HiddSec; NTFS has it too): u32.
const hiddenAt = 0x1C

// hiddenSectors returns the sector in which a partition begins by its own boot
// sector, which the code there goes by; false when it is none of FAT or NTFS.
func hiddenSectors(sector []byte) (uint32, bool) {
	ours := string(sector[3:11]) == "NTFS    " || string(sector[0x36:0x39]) == "FAT" || string(sector[0x52:0x55]) == "FAT"
	if !signed(sector) || !ours {
		return 0, false
	}
	return binary.LittleEndian.Uint32(sector[hiddenAt:]), true
}
