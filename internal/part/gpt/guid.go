package gpt

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
)

// guid is a GUID as it lies on the disk: the first three groups little-endian
// (UEFI specification 2.10, appendix A).
type guid [16]byte

func (g guid) String() string {
	return fmt.Sprintf("%08X-%04X-%04X-%X-%X", binary.LittleEndian.Uint32(g[:]),
		binary.LittleEndian.Uint16(g[4:]), binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// parseGUID reads the usual spelling, in either case.
func parseGUID(s string) (guid, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 || len(s) != 36 {
		return guid{}, fmt.Errorf("%q is not a GUID", s)
	}
	return swap(guid(raw)), nil
}

// swap changes between disk order and spelling order.
func swap(g guid) guid {
	return guid{g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11], g[12], g[13], g[14], g[15]}
}

// NewGUID makes a random GUID (RFC 9562, version 4) in upper case.
func NewGUID(random io.Reader) (string, error) {
	var g guid
	if _, err := io.ReadFull(random, g[:]); err != nil {
		return "", fmt.Errorf("make a GUID: %w", err)
	}
	g[6], g[8] = g[6]&0x0F|0x40, g[8]&0x3F|0x80
	return swap(g).String(), nil
}
