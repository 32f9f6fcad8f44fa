// Package mbr reads and writes the partition table of the PC BIOS: the master
// boot record in LBA 0 and the chain of extended boot records behind it.
//
// It numbers logical partitions as the Linux kernel does (block/partitions/msdos.c)
// and keeps every byte it does not interpret. It refuses sectors that merely end
// in the same signature, such as boot sectors of file systems (Recognise). It
// also lends the sector layout to part/gpt for the protective MBR. Callers start
// with Recognise and Read; disks are written with Encode.
package mbr

import (
	"bytes"
	"encoding/binary"
)

// Layout of a boot record (UEFI specification 2.10, table 5-1; struct
// msdos_partition in the kernel's include/linux/msdos_partition.h).
const (
	Size        = 512 // bytes of a boot record, whatever the sector size
	Slots       = 4   // entries in a boot record
	signatureAt = 440 // disk signature, 4 bytes, little-endian
	entriesAt   = 446
	entrySize   = 16
	magicAt     = 510
)

// Partition types with a meaning for the table itself.
const (
	TypeProtective    = 0xEE
	typeExtended      = 0x05
	typeExtendedLBA   = 0x0F
	typeExtendedLinux = 0x85
)

// activeFlag is the boot indicator of the partition that is started.
const activeFlag = 0x80

// Entry is one partition entry. Start and Size count sectors; Start is relative
// to the disk in LBA 0, to the record itself or to the extended partition in an
// extended boot record.
type Entry struct {
	Flag, Type  byte
	Start, Size uint32
}

// Used reports whether the entry describes space. The kernel and fdisk look at
// the size alone, so do we.
func (e Entry) Used() bool { return e.Size != 0 }

// Extended reports whether the entry holds a chain of extended boot records.
func (e Entry) Extended() bool {
	return e.Used() && (e.Type == typeExtended || e.Type == typeExtendedLBA || e.Type == typeExtendedLinux)
}

// End is the sector behind the entry's last.
func (e Entry) End() int64 { return int64(e.Start) + int64(e.Size) }

// Signed reports whether a sector of at least Size bytes ends in 55 AA.
func Signed(sector []byte) bool { return sector[magicAt] == 0x55 && sector[magicAt+1] == 0xAA }

// Sign gives a sector of at least Size bytes its 55 AA.
func Sign(sector []byte) { sector[magicAt], sector[magicAt+1] = 0x55, 0xAA }

func rawEntry(sector []byte, slot int) []byte { return sector[entriesAt+slot*entrySize:][:entrySize] }

// EntryAt decodes the entry in slot 0..3 of a sector of at least Size bytes.
func EntryAt(sector []byte, slot int) Entry {
	raw := rawEntry(sector, slot)
	return Entry{raw[0], raw[4], binary.LittleEndian.Uint32(raw[8:]), binary.LittleEndian.Uint32(raw[12:])}
}

// Put encodes e into slot 0..3 of a sector of at least Size bytes. The cylinder,
// head and sector fields stay where the place does not change; a new place gets
// the value that stands for 'beyond reach, use the LBA'.
func (e Entry) Put(sector []byte, slot int) {
	raw, old := rawEntry(sector, slot), EntryAt(sector, slot)
	if e == (Entry{}) {
		clear(raw)
		return
	}
	if old.Start != e.Start || old.Size != e.Size {
		beyond := []byte{0xFE, 0xFF, 0xFF}
		copy(raw[1:], beyond)
		copy(raw[5:], beyond)
	}
	raw[0], raw[4] = e.Flag, e.Type
	binary.LittleEndian.PutUint32(raw[8:], e.Start)
	binary.LittleEndian.PutUint32(raw[12:], e.Size)
}

// Empty reports whether a sector of at least Size bytes has no used entry.
func Empty(sector []byte) bool {
	for slot := range Slots {
		if EntryAt(sector, slot).Used() {
			return false
		}
	}
	return true
}

// Protective reports whether a sector is signed and holds the entry that keeps
// old tools off a GPT disk.
func Protective(sector []byte) bool {
	if !Signed(sector) {
		return false
	}
	for slot := range Slots {
		if e := EntryAt(sector, slot); e.Type == TypeProtective && e.Used() {
			return true
		}
	}
	return false
}

// BootSector reports whether a sector is that of a FAT, exFAT, NTFS or BitLocker
// volume, which ends in 55 AA just like an MBR. The BIOS parameter block is at
// byte 11 (Microsoft FAT specification, section 3.1).
func BootSector(sector []byte) bool {
	if sector[0] != 0xEB && sector[0] != 0xE9 {
		return false
	}
	for _, oem := range []string{"NTFS    ", "EXFAT   ", "-FVE-FS-"} {
		if bytes.Equal(sector[3:11], []byte(oem)) {
			return true
		}
	}
	bytesPerSector, perCluster := binary.LittleEndian.Uint16(sector[11:]), sector[13]
	reserved, fats, media := binary.LittleEndian.Uint16(sector[14:]), sector[16], sector[21]
	return bytesPerSector >= 512 && bytesPerSector <= 4096 && bytesPerSector&(bytesPerSector-1) == 0 &&
		perCluster != 0 && perCluster&(perCluster-1) == 0 &&
		reserved != 0 && (fats == 1 || fats == 2) && (media == 0xF0 || media >= 0xF8)
}
