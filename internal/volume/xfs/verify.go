package xfs

import (
	"encoding/binary"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checkCRC compares the little-endian CRC32c that b carries at the offset field
// with that of b, the field itself taken as zero (xfs_cksum.h). The offset at
// is where b lies in the volume.
func checkCRC(what string, b []byte, field int, at int64) error {
	sum := crc32.Update(0, castagnoli, b[:field])
	sum = crc32.Update(sum, castagnoli, make([]byte, 4))
	sum = crc32.Update(sum, castagnoli, b[field+4:])
	if stored := binary.LittleEndian.Uint32(b[field:]); stored != sum {
		return damage(what, at, "checksum %#08x, its bytes give %#08x", stored, sum)
	}
	return nil
}
