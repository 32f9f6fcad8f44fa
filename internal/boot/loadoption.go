package boot

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
)

// LoadOption is the content of a variable Boot#### (UEFI 2.10, section 3.1.3,
// EFI_LOAD_OPTION).
type LoadOption struct {
	Attributes uint32
	Label      string
	Path       []byte // device paths, as they are
	Data       []byte // optional data for the loader, as it is
}

// active is LOAD_OPTION_ACTIVE: the entry is tried without being asked for.
const active = 1

// ParseLoadOption reads the variable's data, without the attributes that
// efivarfs puts before it.
func ParseLoadOption(b []byte) (LoadOption, error) {
	const what = "boot entry"
	if len(b) < 8 {
		return LoadOption{}, malformed(what, "it has %d bytes", len(b))
	}
	o := LoadOption{Attributes: binary.LittleEndian.Uint32(b)}
	paths := int(binary.LittleEndian.Uint16(b[4:]))
	label, rest, ok := cutUTF16(b[6:])
	if !ok {
		return LoadOption{}, malformed(what, "its label has no end")
	}
	if paths > len(rest) {
		return LoadOption{}, malformed(what, "its path of %d bytes ends behind it", paths)
	}
	o.Label, o.Path, o.Data = label, bytes.Clone(rest[:paths]), bytes.Clone(rest[paths:])
	return o, nil
}

// Bytes is what ParseLoadOption reads. A path of 64 KiB and more is cut.
func (o LoadOption) Bytes() []byte {
	path := o.Path[:min(len(o.Path), 1<<16-1)]
	b := binary.LittleEndian.AppendUint32(nil, o.Attributes)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(path)))
	b = appendUTF16(b, o.Label)
	b = append(b, path...)
	return append(b, o.Data...)
}

// cutUTF16 returns the text before the first NUL of UTF-16 and what follows it.
func cutUTF16(b []byte) (text string, rest []byte, ok bool) {
	var units []uint16
	for ; len(b) >= 2; b = b[2:] {
		u := binary.LittleEndian.Uint16(b)
		if u == 0 {
			return string(utf16.Decode(units)), b[2:], true
		}
		units = append(units, u)
	}
	return "", nil, false
}

// appendUTF16 adds s and a NUL. A NUL inside would end it early and is left out.
func appendUTF16(b []byte, s string) []byte {
	for _, u := range utf16.Encode([]rune(s)) {
		if u != 0 {
			b = binary.LittleEndian.AppendUint16(b, u)
		}
	}
	return binary.LittleEndian.AppendUint16(b, 0)
}
