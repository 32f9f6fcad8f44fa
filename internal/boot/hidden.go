package boot

import "encoding/binary"

// hiddenAt is the place of the field 'hidden sectors' in the boot sector of FAT
// and NTFS (Microsoft's FAT specification 1.03, BPB_HiddSec; NTFS has it too): u32,
// the sector where the partition begins. The boot code goes by it.
const hiddenAt = 0x1C

// Hidden returns the sector in which a partition begins by its own boot sector,
// which has at least 512 bytes; false when that is none of FAT or NTFS.
func Hidden(sector []byte) (uint32, bool) {
	if !signed(sector) || !hasBPB(sector) {
		return 0, false
	}
	return binary.LittleEndian.Uint32(sector[hiddenAt:]), true
}

// SetHidden changes a boot sector of FAT or NTFS for a partition that begins in
// another sector, and reports whether there was anything to change. FAT32 and
// NTFS have a copy of the boot sector that is to be changed as well.
func SetHidden(sector []byte, start uint32) bool {
	old, ok := Hidden(sector)
	if !ok || old == start {
		return false
	}
	binary.LittleEndian.PutUint32(sector[hiddenAt:], start)
	return true
}

// hasBPB recognises the boot sectors whose field it is: by the name of the type
// that both put into them.
func hasBPB(sector []byte) bool {
	return string(sector[3:11]) == "NTFS    " || string(sector[0x36:0x39]) == "FAT" || string(sector[0x52:0x55]) == "FAT"
}
