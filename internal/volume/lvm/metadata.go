package lvm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// Layout of a metadata area, little-endian (struct mda_header and raw_locn of
// LVM2's lib/format_text/layout.h). Behind the header, which fills a sector, the
// area is a ring of text.
const (
	mdaMagic     = " LVM2 x[5A%r0N*>"
	mdaMagicAt   = 4
	mdaVersionAt = 20
	mdaStartAt   = 24
	mdaSizeAt    = 32
	mdaTextAt    = 40 // the committed text: offset and size (8 bytes each), checksum, flags
	mdaVersion   = 1
)

// ignoredFlag marks an area that LVM does not update, because the group has
// enough others. What it holds may be old.
const ignoredFlag = 1

// errNoGroup says that an intact metadata area holds no text.
var errNoGroup = errors.New("the metadata area is empty")

var errIgnored = errors.New("the metadata area is not in use")

// readMetadata returns the newest volume group description in the areas. Without
// one the error is that of the last area: errNoGroup and errIgnored are no damage.
func readMetadata(r block.Reader, areas []extent.Extent) (*node, error) {
	var newest *node
	var seqno int64
	var text []byte
	last := errIgnored
	for _, area := range areas {
		t, err := readText(r, area)
		if err != nil {
			last = err
			continue
		}
		if bytes.Equal(t, text) {
			continue
		}
		n, err := parseConfig(t)
		if err != nil {
			last = fmt.Errorf("the metadata text at %#x cannot be read: %w", area.Start, err)
			continue
		}
		vg := groupSection(n)
		if s, err := vg.number("seqno", 1<<62); err == nil && (newest == nil || s > seqno) {
			newest, seqno, text = vg, s, t
		}
	}
	if newest == nil {
		return nil, last
	}
	return newest, nil
}

// groupSection is the one section among the assignments at the top.
func groupSection(root *node) *node {
	for i := range root.children {
		if n := &root.children[i]; n.child("seqno").values != nil {
			return n
		}
	}
	return &node{}
}

// readText returns the committed text of one area, checksum verified.
func readText(r block.Reader, area extent.Extent) ([]byte, error) {
	if area.Length < 2*sectorSize {
		return nil, fmt.Errorf("the metadata area at %#x has %d bytes", area.Start, area.Length)
	}
	header := make([]byte, sectorSize)
	if err := block.ReadFull(r, header, area.Start); err != nil {
		return nil, err
	}
	le := binary.LittleEndian
	switch {
	case string(header[mdaMagicAt:mdaVersionAt]) != mdaMagic:
		return nil, fmt.Errorf("the metadata area at %#x has no header", area.Start)
	case checksum(header[mdaMagicAt:]) != le.Uint32(header):
		return nil, fmt.Errorf("the checksum of the metadata area at %#x is wrong", area.Start)
	case le.Uint32(header[mdaVersionAt:]) != mdaVersion:
		return nil, fmt.Errorf("the metadata area at %#x has the unknown version %d", area.Start, le.Uint32(header[mdaVersionAt:]))
	case le.Uint64(header[mdaStartAt:]) != uint64(area.Start) || le.Uint64(header[mdaSizeAt:]) != uint64(area.Length):
		return nil, fmt.Errorf("the metadata area at %#x says it lies elsewhere", area.Start)
	}
	locn := header[mdaTextAt:]
	offset, size, sum := le.Uint64(locn), le.Uint64(locn[8:]), le.Uint32(locn[16:])
	switch {
	case le.Uint32(locn[20:])&ignoredFlag != 0:
		return nil, errIgnored
	case size == 0:
		return nil, errNoGroup
	case offset < sectorSize || offset >= uint64(area.Length) || size > min(uint64(area.Length)-sectorSize, maxText):
		return nil, fmt.Errorf("the metadata area at %#x has %d bytes of text at %#x", area.Start, size, offset)
	}
	text := make([]byte, size)
	head := min(int64(size), area.Length-int64(offset))
	if err := block.ReadFull(r, text[:head], area.Start+int64(offset)); err != nil {
		return nil, err
	}
	// What does not fit goes on behind the header.
	if err := block.ReadFull(r, text[head:], area.Start+sectorSize); err != nil {
		return nil, err
	}
	if checksum(text) != sum {
		return nil, fmt.Errorf("the checksum of the metadata text at %#x is wrong", area.Start)
	}
	return text, nil
}
