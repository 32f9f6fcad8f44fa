package hive

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
)

// Type is what the data of a value are; see "Data types".
type Type uint32

const (
	None     Type = 0
	SZ       Type = 1
	ExpandSZ Type = 2 // holds variables: %SystemRoot%
	Binary   Type = 3
	DWord    Type = 4
	DWordBig Type = 5
	Link     Type = 6
	MultiSZ  Type = 7
	QWord    Type = 11
)

// Value is a value of a key.
type Value struct {
	Name string // "": the default value
	Type Type
	Data []byte
}

// String is a value of text.
func String(name, text string) Value {
	return Value{name, SZ, encodeUnits(append(utf16.Encode([]rune(text)), 0))}
}

// ExpandString is a value of text that holds variables.
func ExpandString(name, text string) Value {
	return Value{name, ExpandSZ, String(name, text).Data}
}

// Strings is a value of several texts.
func Strings(name string, texts ...string) Value {
	var u []uint16
	for _, text := range texts {
		u = append(append(u, utf16.Encode([]rune(text))...), 0)
	}
	return Value{name, MultiSZ, encodeUnits(append(u, 0))}
}

// Number is a value of 32 bits.
func Number(name string, n uint32) Value {
	return Value{name, DWord, binary.LittleEndian.AppendUint32(nil, n)}
}

// LongNumber is a value of 64 bits.
func LongNumber(name string, n uint64) Value {
	return Value{name, QWord, binary.LittleEndian.AppendUint64(nil, n)}
}

// Bytes is a value of bytes.
func Bytes(name string, data []byte) Value { return Value{name, Binary, data} }

// Text is what a value of type SZ, ExpandSZ or Link says, up to the first null
// character.
func (v Value) Text() (string, error) {
	if v.Type != SZ && v.Type != ExpandSZ && v.Type != Link {
		return "", fmt.Errorf("value %q is of type %d, not text", v.Name, v.Type)
	}
	text, _, _ := strings.Cut(name(units(v.Data)).String(), "\x00")
	return text, nil
}

// Texts are the texts of a value of type MultiSZ. Empty ones at the end are
// dropped.
func (v Value) Texts() ([]string, error) {
	if v.Type != MultiSZ {
		return nil, fmt.Errorf("value %q is of type %d, not a list of texts", v.Name, v.Type)
	}
	all := strings.TrimRight(name(units(v.Data)).String(), "\x00")
	if all == "" {
		return nil, nil
	}
	return strings.Split(all, "\x00"), nil
}

// Uint is the number of a value of type DWord, DWordBig or QWord.
func (v Value) Uint() (uint64, error) {
	switch {
	case v.Type == DWord && len(v.Data) == 4:
		return uint64(binary.LittleEndian.Uint32(v.Data)), nil
	case v.Type == DWordBig && len(v.Data) == 4:
		return uint64(binary.BigEndian.Uint32(v.Data)), nil
	case v.Type == QWord && len(v.Data) == 8:
		return binary.LittleEndian.Uint64(v.Data), nil
	}
	return 0, fmt.Errorf("value %q of type %d with %d bytes is no number", v.Name, v.Type, len(v.Data))
}

func (v Value) equal(o Value) bool { return v.Type == o.Type && slices.Equal(v.Data, o.Data) }

// value reads the value at an offset, whose data have at most limit bytes.
func (h *Hive) value(at uint32, limit int) (Value, error) {
	c, err := h.valueRecord(at)
	if err != nil {
		return Value{}, err
	}
	v := Value{Name: valueName(c).String(), Type: Type(binary.LittleEndian.Uint32(c[vkType:]))}
	length := binary.LittleEndian.Uint32(c[vkLength:])
	if length&vkInline != 0 {
		length &^= vkInline
		if length > 4 {
			return Value{}, damagedCell(at, "a value says that %d bytes are in a field of 4", length)
		}
		v.Data = slices.Clone(c[vkData : vkData+length])
		return v, nil
	}
	if int64(length) > int64(limit) {
		return Value{}, damagedCell(at, "a value says that it has %d bytes", length)
	}
	v.Data, err = h.content(binary.LittleEndian.Uint32(c[vkData:]), int(length))
	if err != nil {
		return Value{}, fmt.Errorf("value %q: %w", v.Name, err)
	}
	return v, nil
}

// segmentSize is the most bytes of data that one cell holds in a hive of version
// 1.4 or later; see "Big data". In older ones, BCD among them, a cell holds all.
const segmentSize = 16344

// content reads data of length bytes that begin in the cell at an offset.
func (h *Hive) content(at uint32, length int) ([]byte, error) {
	if length == 0 {
		return nil, nil
	}
	c, err := h.cell(at, min(length, 8))
	if err != nil {
		return nil, err
	}
	if len(c) >= length {
		return slices.Clone(c[:length]), nil
	}
	segments, err := h.segments(at, length)
	if err != nil {
		return nil, err
	}
	data := make([]byte, 0, length)
	for _, s := range segments {
		n := min(segmentSize, length-len(data))
		c, err := h.cell(s, n)
		if err != nil {
			return nil, err
		}
		data = append(data, c[:n]...)
	}
	return data, nil
}

// segments returns the cells that hold big data of length bytes.
func (h *Hive) segments(at uint32, length int) ([]uint32, error) {
	c, err := h.record(at, "db", 8)
	if err != nil {
		return nil, err
	}
	count := int(binary.LittleEndian.Uint16(c[2:]))
	if count != (length+segmentSize-1)/segmentSize {
		return nil, damagedCell(at, "%d segments are not those of %d bytes", count, length)
	}
	return h.offsets(binary.LittleEndian.Uint32(c[4:]), count)
}
