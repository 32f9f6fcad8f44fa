package gpt

import (
	"encoding/binary"
	"fmt"
	"unicode/utf16"

	"github.com/ingot-imaging/ingot/internal/part"
)

// Layout of a partition entry (UEFI specification 2.10, table 5-6); what an
// entry longer than 128 bytes has behind the name stays as it is.
const (
	idAt    = 16
	firstAt = 32
	lastAt  = 40
	flagsAt = 48
	nameAt  = 56
	nameEnd = 128
)

// decodeEntry returns the partition in an entry; ok is false for an unused
// one. LBAs that no disk has come out as a negative length.
func decodeEntry(raw []byte, number int, sectorSize int64) (p part.Partition, ok bool) {
	if guid(raw[:16]) == (guid{}) {
		return p, false
	}
	p = part.Partition{
		Number: number,
		Type:   guid(raw[:16]).String(),
		ID:     guid(raw[idAt:firstAt]).String(),
		Flags:  binary.LittleEndian.Uint64(raw[flagsAt:]),
		Name:   decodeName(raw[nameAt:nameEnd]),
		Length: -1,
	}
	first, last := binary.LittleEndian.Uint64(raw[firstAt:]), binary.LittleEndian.Uint64(raw[lastAt:])
	if most := uint64(1<<62) / uint64(sectorSize); first <= last && last < most {
		p.Start, p.Length = int64(first)*sectorSize, int64(last-first+1)*sectorSize
	}
	return p, true
}

// encodeEntry makes raw describe p. A field that says what p says already keeps
// its bytes: a name with unpaired surrogates, or with garbage behind its end.
func encodeEntry(raw []byte, p part.Partition, sectorSize int64) error {
	old, _ := decodeEntry(raw, p.Number, sectorSize)
	typ, err := parseGUID(p.Type)
	if err != nil {
		return fmt.Errorf("write GPT: type of partition %d: %w", p.Number, err)
	}
	id, err := parseGUID(p.ID)
	if err != nil {
		return fmt.Errorf("write GPT: ID of partition %d: %w", p.Number, err)
	}
	copy(raw, typ[:])
	copy(raw[idAt:], id[:])
	if old.Name != p.Name {
		if err := encodeName(raw[nameAt:nameEnd], p.Name); err != nil {
			return fmt.Errorf("write GPT: name of partition %d: %w", p.Number, err)
		}
	}
	first := p.Start / sectorSize
	binary.LittleEndian.PutUint64(raw[firstAt:], uint64(first))
	binary.LittleEndian.PutUint64(raw[lastAt:], uint64(first+p.Length/sectorSize-1))
	binary.LittleEndian.PutUint64(raw[flagsAt:], p.Flags)
	return nil
}

// decodeName reads UTF-16LE up to the first NUL; unpaired surrogates become U+FFFD.
func decodeName(raw []byte) string {
	var units []uint16
	for at := 0; at+2 <= len(raw); at += 2 {
		u := binary.LittleEndian.Uint16(raw[at:])
		if u == 0 {
			break
		}
		units = append(units, u)
	}
	return string(utf16.Decode(units))
}

func encodeName(raw []byte, name string) error {
	units := utf16.Encode([]rune(name))
	if len(units) > len(raw)/2 {
		return fmt.Errorf("%q has %d UTF-16 units, the table has room for %d", name, len(units), len(raw)/2)
	}
	clear(raw)
	for i, u := range units {
		binary.LittleEndian.PutUint16(raw[2*i:], u)
	}
	return nil
}
