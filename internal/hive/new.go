package hive

import (
	"encoding/binary"
	"time"
)

// New makes an empty hive of version 1.minor, whose root key has a name. Its keys
// belong to Administrators, who may do everything to them, as may the system.
func New(minor int, root string, now time.Time) (*Hive, error) {
	const nk, first = binHeader, baseSize + binHeader // the root key comes first, then its descriptor
	record := keyRecord(none, 0, nameOf(root))
	sk := uint32(nk+4+len(record)+7) &^ 7
	le := binary.LittleEndian
	le.PutUint16(record[nkFlags:], le.Uint16(record[nkFlags:])|flagRoot|flagNoDelete)
	le.PutUint64(record[nkTime:], filetime(now))
	le.PutUint32(record[nkSecurity:], sk)

	data := make([]byte, baseSize+binUnit)
	copy(data, "regf")
	for offset, n := range map[int]uint32{4: 1, 8: 1, 20: 1, 24: uint32(minor), 32: 1, 36: nk, 40: binUnit, 44: 1} {
		le.PutUint32(data[offset:], n)
	}
	le.PutUint64(data[12:], filetime(now))
	bin := data[baseSize:]
	copy(bin, "hbin")
	le.PutUint32(bin[8:], binUnit)
	le.PutUint64(bin[20:], filetime(now))

	le.PutUint32(bin[nk:], -(sk - nk))
	copy(data[first+4:], record)
	end := putSecurity(bin, sk)
	le.PutUint32(bin[end:], binUnit-end)
	le.PutUint32(data[checkedAt:], checksum(data))
	return Open(data)
}

// putSecurity writes the only key security of a new hive and returns where the
// next cell begins.
func putSecurity(bin []byte, at uint32) (end uint32) {
	le := binary.LittleEndian
	size := uint32(4+skSize+len(descriptor)+7) &^ 7
	le.PutUint32(bin[at:], -size)
	sk := bin[at+4:]
	copy(sk, "sk")
	le.PutUint32(sk[skNext:], at)
	le.PutUint32(sk[skPrev:], at)
	le.PutUint32(sk[skCount:], 1)
	le.PutUint32(sk[skCount+4:], uint32(len(descriptor)))
	copy(sk[skSize:], descriptor)
	return at + size
}

// descriptor is the self-relative form of O:BAG:SYD:(A;CI;KA;;;BA)(A;CI;KA;;;SY);
// see [MS-DTYP], SECURITY_DESCRIPTOR.
const descriptor = "\x01\x00\x04\x80\x48\x00\x00\x00\x58\x00\x00\x00\x00\x00\x00\x00\x14\x00\x00\x00" + // offsets of owner, group, SACL, DACL
	"\x02\x00\x34\x00\x02\x00\x00\x00" + // an ACL of 52 bytes and two entries
	"\x00\x02\x18\x00\x3f\x00\x0f\x00\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" + // Administrators: all
	"\x00\x02\x14\x00\x3f\x00\x0f\x00\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00" + // the system: all
	"\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x20\x02\x00\x00" + // owner
	"\x01\x01\x00\x00\x00\x00\x00\x05\x12\x00\x00\x00" // group
