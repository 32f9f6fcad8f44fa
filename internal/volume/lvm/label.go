package lvm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
	"github.com/ingot-imaging/ingot/internal/volume"
)

// Layout of the label and the physical volume header, little-endian (struct
// label_header, pv_header, pv_header_extension and disk_locn of LVM2's
// lib/label/label.h and lib/format_text/layout.h).
const (
	sectorSize  = 512 // the unit of LVM, whatever the device has
	scanSectors = 4   // the label is in one of the first four

	labelSectorAt = 8
	labelCRCAt    = 16
	labelCRCFrom  = 20
	labelOffsetAt = 20
	labelTypeAt   = 24
	labelSize     = 32

	uuidSize     = 32
	deviceSizeAt = uuidSize
	areasAt      = uuidSize + 8
)

const (
	labelMagic = "LABELONE"
	labelType  = "LVM2 001"
)

// usedFlag of the header's extension says that the volume is in a volume group.
const usedFlag = 1

// maxAreas bounds each list of areas; LVM writes two at most.
const maxAreas = 4

// checksum is LVM's CRC-32: the usual polynomial, neither inverted before nor after.
func checksum(b []byte) uint32 {
	const initial = 0xF597A6CF
	return ^crc32.Update(^uint32(initial), crc32.IEEETable, b)
}

// label is the decoded physical volume header.
type label struct {
	uuid       string // as LVM spells it, with dashes
	deviceSize uint64
	metadata   []extent.Extent // metadata areas
	bootloader []extent.Extent
	used       bool // in a volume group; false also when the header is too old to say
}

// findLabel returns the sector with the label and its number, nil when there is none.
func findLabel(r block.Reader) ([]byte, int, error) {
	if r.Size() < scanSectors*sectorSize {
		return nil, 0, nil
	}
	b := make([]byte, scanSectors*sectorSize)
	if err := block.ReadFull(r, b, 0); err != nil {
		return nil, 0, err
	}
	for i := range scanSectors {
		sector := b[i*sectorSize:][:sectorSize]
		if bytes.HasPrefix(sector, []byte(labelMagic)) && string(sector[labelTypeAt:labelSize]) == labelType {
			return sector, i, nil
		}
	}
	return nil, 0, nil
}

// parseLabel decodes a sector from findLabel. Areas outside a volume of size
// bytes are damage.
func parseLabel(sector []byte, number int, size int64) (label, error) {
	le := binary.LittleEndian
	damaged := func(format string, args ...any) error {
		return &volume.DamageError{Kind: kind, What: "label", Offset: int64(number) * sectorSize, Why: fmt.Sprintf(format, args...)}
	}
	if got := le.Uint64(sector[labelSectorAt:]); got != uint64(number) {
		return label{}, damaged("it says it lies in sector %d", got)
	}
	if checksum(sector[labelCRCFrom:]) != le.Uint32(sector[labelCRCAt:]) {
		return label{}, damaged("its checksum is wrong")
	}
	at := le.Uint32(sector[labelOffsetAt:])
	if at < labelSize || at > sectorSize-areasAt {
		return label{}, damaged("it has its header at byte %d", at)
	}
	header := sector[at:]
	l := label{uuid: dashed(string(header[:uuidSize])), deviceSize: le.Uint64(header[deviceSizeAt:])}
	rest := header[areasAt:]
	_, rest, err := readAreas(rest, size, false)
	if err == nil {
		l.metadata, rest, err = readAreas(rest, size, true)
	}
	if err != nil {
		return label{}, damaged("%v", err)
	}
	// The extension, since LVM 2.02.99: version, flags, bootloader areas.
	if len(rest) < 8 || le.Uint32(rest) == 0 {
		return l, nil
	}
	l.used = le.Uint32(rest[4:])&usedFlag != 0
	l.bootloader, _, err = readAreas(rest[8:], size, true)
	if err != nil {
		return label{}, damaged("%v", err)
	}
	return l, nil
}

// readAreas reads a list of (offset, size) that ends in zeros and returns what
// is behind it. Data areas may claim size 0, for 'the rest', and are not checked.
func readAreas(b []byte, size int64, check bool) (areas []extent.Extent, rest []byte, err error) {
	for {
		if len(b) < 16 || len(areas) > maxAreas {
			return nil, nil, fmt.Errorf("a list of areas has no end")
		}
		start, length := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		b = b[16:]
		if start == 0 && length == 0 {
			return areas, b, nil
		}
		if check && (start > uint64(size) || length > uint64(size)-start) {
			return nil, nil, fmt.Errorf("an area of %d bytes at %#x lies outside the volume", length, start)
		}
		areas = append(areas, extent.Extent{Start: int64(start), Length: int64(length)})
	}
}

// dashed spells a UUID as LVM prints it: 6-4-4-4-4-4-6 characters.
func dashed(raw string) string {
	out := make([]byte, 0, uuidSize+6)
	for i := range len(raw) {
		if i >= 6 && i < 30 && (i-6)%4 == 0 {
			out = append(out, '-')
		}
		if raw[i] > ' ' && raw[i] < 0x7F {
			out = append(out, raw[i])
		}
	}
	return string(out)
}
