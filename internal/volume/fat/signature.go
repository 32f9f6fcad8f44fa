package fat

import (
	"bytes"
	"slices"
)

// Where the two forms of the extended boot record keep their type string.
const (
	typeOffset16 = 0x36 // BS_FilSysType of FAT12 and FAT16
	typeOffset32 = 0x52 // BS_FilSysType of FAT32
)

// bitLockerToGo is the GUID of a BitLocker To Go volume as it lies at offset
// bitLockerToGoOffset, behind a boot sector that is FAT32 in every other respect.
var bitLockerToGo = []byte{0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a, 0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01}

const bitLockerToGoOffset = 0x1a8

// signed reports whether a boot sector with a sound geometry says that it is
// FAT: by its type string or, as old formatters wrote none, by a jump and the
// boot signature together. libblkid draws the line at the same place.
func signed(sector []byte) bool {
	return !foreign(sector) && (hasTypeString(sector) || hasJump(sector) && hasBootSignature(sector))
}

// foreign reports a boot sector that belongs to another format.
func foreign(sector []byte) bool {
	oem := string(sector[3:11])
	if slices.Contains([]string{"NTFS    ", "EXFAT   ", "-FVE-FS-"}, oem) {
		return true
	}
	// OS/2 puts a BPB in front of its own file systems.
	if name := string(sector[typeOffset16:][:8]); name == "JFS     " || name == "HPFS    " {
		return true
	}
	return bytes.HasPrefix(sector[bitLockerToGoOffset:], bitLockerToGo)
}

func hasTypeString(sector []byte) bool {
	return hasAnyPrefix(sector[typeOffset32:], "FAT32   ", "MSWIN") ||
		hasAnyPrefix(sector[typeOffset16:], "FAT12   ", "FAT16   ", "FAT     ", "MSDOS")
}

func hasAnyPrefix(b []byte, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return bytes.HasPrefix(b, []byte(p)) })
}

func hasJump(sector []byte) bool { return sector[0] == 0xeb || sector[0] == 0xe9 }

func hasBootSignature(sector []byte) bool { return sector[510] == 0x55 && sector[511] == 0xaa }
