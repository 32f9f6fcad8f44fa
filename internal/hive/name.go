package hive

import (
	"encoding/binary"
	"slices"
	"unicode"
	"unicode/utf16"
)

// name is a name as UTF-16 code units, which is what Windows compares.
type name []uint16

func nameOf(s string) name { return utf16.Encode([]rune(s)) }

func (n name) String() string { return string(utf16.Decode(n)) }

// decodeName reads a name of a record: one byte a character, or UTF-16LE.
func decodeName(b []byte, narrow bool) name {
	if !narrow {
		return units(b)
	}
	n := make(name, len(b))
	for i, c := range b {
		n[i] = uint16(c)
	}
	return n
}

// units reads UTF-16LE; an odd byte at the end is dropped.
func units(b []byte) []uint16 {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return u
}

// encodeUnits writes UTF-16LE.
func encodeUnits(u []uint16) []byte {
	b := make([]byte, 0, 2*len(u))
	for _, c := range u {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	return b
}

// encode writes n for a record and says whether it has one byte a character,
// which it has when it is ASCII.
func (n name) encode() (b []byte, narrow bool) {
	if slices.ContainsFunc(n, func(c uint16) bool { return c >= 0x80 }) {
		return encodeUnits(n), false
	}
	b = make([]byte, len(n))
	for i, c := range n {
		b[i] = byte(c)
	}
	return b, true
}

// compare orders names as lists of subkeys are sorted: by upper-case code units.
func (n name) compare(o name) int {
	return slices.CompareFunc(n, o, func(a, b uint16) int { return int(upper(a)) - int(upper(b)) })
}

// hash is the name hash of a hash leaf.
func (n name) hash() uint32 {
	var sum uint32
	for _, c := range n {
		sum = 37*sum + uint32(upper(c))
	}
	return sum
}

// hint is the name hint of a fast leaf. That of a name that is not ASCII is
// empty, which makes Windows look at the name itself.
func (n name) hint() uint32 {
	var hint [4]byte
	if b, narrow := n.encode(); narrow {
		copy(hint[:], b)
	}
	return binary.LittleEndian.Uint32(hint[:])
}

// upper is the upper-case form of a code unit as Windows has it. The same table is
// the $UpCase of an NTFS volume; a test compares the two.
func upper(c uint16) uint16 {
	if c < 0x80 {
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		return c
	}
	if utf16.IsSurrogate(rune(c)) || unicode.Is(staysLower, rune(c)) {
		return c
	}
	return uint16(unicode.ToUpper(rune(c)))
}

// staysLower are the code units that Unicode has an upper-case form for, and
// Windows has not.
var staysLower = &unicode.RangeTable{R16: []unicode.Range16{
	{0x00b5, 0x00b5, 1}, {0x0131, 0x0131, 1}, {0x017f, 0x017f, 1}, {0x01c5, 0x01c5, 1}, {0x01c8, 0x01c8, 1},
	{0x01cb, 0x01cb, 1}, {0x01f2, 0x01f2, 1}, {0x023f, 0x0240, 1}, {0x0252, 0x0252, 1}, {0x025c, 0x025c, 1},
	{0x0261, 0x0261, 1}, {0x0265, 0x0266, 1}, {0x026a, 0x026c, 2}, {0x0282, 0x0282, 1}, {0x0287, 0x0287, 1},
	{0x029d, 0x029e, 1}, {0x0345, 0x0345, 1}, {0x03c2, 0x03c2, 1}, {0x03d0, 0x03d1, 1}, {0x03d5, 0x03d6, 1},
	{0x03f0, 0x03f1, 1}, {0x03f3, 0x03f5, 2}, {0x0525, 0x052f, 2}, {0x10d0, 0x10fa, 1}, {0x10fd, 0x10ff, 1},
	{0x13f8, 0x13fd, 1}, {0x1c80, 0x1c88, 1}, {0x1d8e, 0x1d8e, 1}, {0x1e9b, 0x1e9b, 1}, {0x1fbe, 0x1fbe, 1},
	{0x2c5f, 0x2c5f, 1}, {0x2cec, 0x2cee, 2}, {0x2cf3, 0x2cf3, 1}, {0x2d27, 0x2d27, 1}, {0x2d2d, 0x2d2d, 1},
	{0xa661, 0xa661, 1}, {0xa699, 0xa69b, 2}, {0xa791, 0xa793, 2}, {0xa794, 0xa794, 1}, {0xa797, 0xa7a9, 2},
	{0xa7b5, 0xa7c3, 2}, {0xa7c8, 0xa7ca, 2}, {0xa7d1, 0xa7d1, 1}, {0xa7d7, 0xa7d9, 2}, {0xa7f6, 0xa7f6, 1},
	{0xab53, 0xab53, 1}, {0xab70, 0xabbf, 1},
}}
