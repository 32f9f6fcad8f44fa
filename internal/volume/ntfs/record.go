package ntfs

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Kinds of attributes (ATTR_TYPE).
const (
	attrList            = 0x20
	attrVolumeName      = 0x60
	attrVolumeInfo      = 0x70
	attrData            = 0x80
	attrIndexRoot       = 0x90
	attrIndexAllocation = 0xA0
	attrEnd             = 0xFFFFFFFF
)

const (
	recordMagic    = "FILE"
	recordInUse    = 0x0001
	recordIsFolder = 0x0002
	referenceMask  = 1<<48 - 1 // record number in an MFT_REF; a sequence number is above it
)

// record is one MFT record (MFT_REC), fixups undone and attributes checked.
type record struct {
	number   int64
	offset   int64 // from the volume's start
	sequence uint16
	flags    uint16
	base     int64  // record that this one extends, 0 when it is a base itself
	first    int    // offset of the first attribute
	data     []byte // as long as is in use
}

// attr is one attribute of a record (ATTRIB). Its slices point into the record.
type attr struct {
	kind     uint32
	name     []byte // UTF-16
	flags    uint16 // see stream
	instance uint16
	value    []byte // of a resident attribute

	nonResident       bool
	firstVCN, lastVCN int64
	pairs             []byte // the run list, coded
	size, initialized int64
}

func (r record) what() string { return fmt.Sprintf("MFT record %d", r.number) }

// parseRecord decodes the record in p, which it changes and keeps.
func parseRecord(p []byte, number, offset int64) (record, error) {
	le := binary.LittleEndian
	r := record{number: number, offset: offset}
	if string(p[:4]) != recordMagic {
		return r, damaged(r.what(), offset, "begins with %q, not with %q", p[:4], recordMagic)
	}
	if err := undoFixups(p); err != nil {
		return r, damaged(r.what(), offset, "%v", err)
	}
	r.sequence, r.flags = le.Uint16(p[0x10:]), le.Uint16(p[0x16:])
	r.base = int64(le.Uint64(p[0x20:]) & referenceMask)
	first, used := le.Uint16(p[0x14:]), le.Uint32(p[0x18:])
	if used > uint32(len(p)) || uint32(first) > used || first < 0x28 {
		return r, damaged(r.what(), offset, "%d of %d bytes in use, attributes from %d", used, len(p), first)
	}
	r.first, r.data = int(first), p[:used]
	_, _, err := r.search(func(attr) bool { return false })
	return r, err
}

// find returns the first attribute of a kind and name.
func (r record) find(kind uint32, name []byte) (attr, bool) {
	a, ok, _ := r.search(func(a attr) bool { return a.kind == kind && bytes.Equal(a.name, name) })
	return a, ok
}

// findInstance returns the attribute an attribute list's entry points to.
func (r record) findInstance(kind uint32, instance uint16) (attr, bool) {
	a, ok, _ := r.search(func(a attr) bool { return a.kind == kind && a.instance == instance })
	return a, ok
}

// search walks the attributes up to the one wanted. The error is nil for a
// record that parseRecord accepted.
func (r record) search(wanted func(attr) bool) (attr, bool, error) {
	le := binary.LittleEndian
	for at := r.first; ; {
		rest := r.data[at:]
		if len(rest) < 4 {
			return attr{}, false, damaged(r.what(), r.offset, "attributes have no end")
		}
		if le.Uint32(rest) == attrEnd {
			return attr{}, false, nil
		}
		if len(rest) < 0x18 {
			return attr{}, false, damaged(r.what(), r.offset, "attribute at %d is cut off", at)
		}
		length := le.Uint32(rest[4:])
		if length < 0x18 || length > uint32(len(rest)) {
			return attr{}, false, damaged(r.what(), r.offset, "attribute at %d is %d bytes long", at, length)
		}
		a, ok := parseAttr(rest[:length])
		if !ok {
			return attr{}, false, damaged(r.what(), r.offset, "attribute %#x at %d points outside itself", a.kind, at)
		}
		if wanted(a) {
			return a, true, nil
		}
		at += int(length)
	}
}

// parseAttr decodes the attribute that fills p, of at least 0x18 bytes.
func parseAttr(p []byte) (a attr, ok bool) {
	le := binary.LittleEndian
	a = attr{
		kind:        le.Uint32(p),
		nonResident: p[8] != 0,
		flags:       le.Uint16(p[0xC:]),
		instance:    le.Uint16(p[0xE:]),
	}
	if a.name, ok = cut(p, uint32(le.Uint16(p[0xA:])), 2*uint32(p[9])); !ok {
		return a, false
	}
	if !a.nonResident {
		a.value, ok = cut(p, uint32(le.Uint16(p[0x14:])), le.Uint32(p[0x10:]))
		return a, ok
	}
	if len(p) < 0x40 {
		return a, false
	}
	pairs := int(le.Uint16(p[0x20:]))
	if pairs < 0x40 || pairs > len(p) {
		return a, false
	}
	a.pairs = p[pairs:]
	a.firstVCN, a.lastVCN = int64(le.Uint64(p[0x10:])), int64(le.Uint64(p[0x18:]))
	if a.firstVCN > 0 {
		return a, a.lastVCN >= a.firstVCN // a later piece has no sizes
	}
	a.size, a.initialized = int64(le.Uint64(p[0x30:])), int64(le.Uint64(p[0x38:]))
	return a, a.firstVCN == 0 && a.lastVCN >= -1 && a.size >= 0 && a.initialized >= 0
}

// cut returns p[offset:offset+length]; nothing lies anywhere.
func cut(p []byte, offset, length uint32) ([]byte, bool) {
	if length == 0 {
		return nil, true
	}
	if offset > uint32(len(p)) || length > uint32(len(p))-offset {
		return nil, false
	}
	return p[offset : offset+length : offset+length], true
}
