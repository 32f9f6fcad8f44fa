package ext

import (
	"encoding/binary"
	"hash/crc32"
)

// checksumCRC32C is the only value of s_checksum_type there is.
const checksumCRC32C = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// crc32c continues a checksum the way the kernel does: without the inversion
// before and after that hash/crc32 adds.
func crc32c(crc uint32, p []byte) uint32 {
	return ^crc32.Update(^crc, castagnoli, p)
}

// crc16 continues the kernel's CRC-16 (reflected polynomial 0xA001, lib/crc16.c).
// It is only ever run over descriptors, so it needs no table.
func crc16(crc uint16, p []byte) uint16 {
	for _, b := range p {
		crc ^= uint16(b)
		for range 8 {
			crc = crc>>1 ^ 0xA001*(crc&1)
		}
	}
	return crc
}

// metadataSeed is what every metadata_csum checksum but the superblock's starts from.
func (sb *superblock) metadataSeed() uint32 {
	if sb.incompat.has(incompatChecksumSeed) {
		return sb.checksumSeed
	}
	return crc32c(^uint32(0), sb.uuid[:])
}

// descriptorChecksum is bg_checksum of a whole descriptor as it lies on disk.
// Zero bytes stand for the field itself with metadata_csum, nothing with gdt_csum.
func (sb *superblock) descriptorChecksum(group uint64, raw []byte) uint16 {
	number := binary.LittleEndian.AppendUint32(nil, uint32(group))
	if sb.roCompat.has(roCompatMetadataChecksum) {
		crc := crc32c(sb.metadataSeed(), number)
		crc = crc32c(crc, raw[:offGroupChecksum])
		crc = crc32c(crc, []byte{0, 0})
		return uint16(crc32c(crc, raw[offGroupChecksum+2:]))
	}
	crc := crc16(crc16(0xFFFF, sb.uuid[:]), number)
	crc = crc16(crc, raw[:offGroupChecksum])
	return crc16(crc, raw[offGroupChecksum+2:])
}
