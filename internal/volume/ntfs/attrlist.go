package ntfs

import "encoding/binary"

// maxList is the most bytes Windows lets an attribute list have.
const maxList = 256 << 10

// list reads the attribute list of a file.
func (m *mft) list(base record, a attr) ([]byte, error) {
	s := stream{what: "attribute list of " + base.what()}
	if err := s.add(m.boot, a); err != nil {
		return nil, err
	}
	if s.size > maxList {
		return nil, damaged(s.what, base.offset, "%d bytes", s.size)
	}
	p := make([]byte, s.size)
	return p, s.readAt(m.r, m.boot, p, 0)
}

// listEntry is one entry of an attribute list (ATTR_LIST_ENTRY).
type listEntry struct {
	kind     uint32
	name     []byte
	record   int64
	sequence uint16
	instance uint16
}

func nextEntry(base record, list []byte) (e listEntry, rest []byte, err error) {
	le := binary.LittleEndian
	bad := func() (listEntry, []byte, error) {
		return e, nil, damaged("attribute list of "+base.what(), base.offset, "an entry is cut off")
	}
	if len(list) < 0x1A {
		return bad()
	}
	length := int(le.Uint16(list[4:]))
	if length < 0x1A || length > len(list) {
		return bad()
	}
	ref := le.Uint64(list[0x10:])
	e = listEntry{
		kind:     le.Uint32(list),
		record:   int64(ref & referenceMask),
		sequence: uint16(ref >> 48),
		instance: le.Uint16(list[0x18:]),
	}
	var ok bool
	if e.name, ok = cut(list[:length], uint32(list[7]), 2*uint32(list[6])); !ok {
		return bad()
	}
	return e, list[length:], nil
}

// piece reads the attribute that an entry of base's list points to.
func (m *mft) piece(scratch []byte, base record, e listEntry) (attr, error) {
	r := base
	if e.record != base.number {
		var err error
		if r, err = m.recordInto(scratch, e.record); err != nil {
			return attr{}, err
		}
		if r.base != base.number || r.sequence != e.sequence {
			return attr{}, damaged(r.what(), r.offset, "belongs to record %d, not to %d", r.base, base.number)
		}
	}
	a, ok := r.findInstance(e.kind, e.instance)
	if !ok {
		return attr{}, damaged(r.what(), r.offset, "lacks attribute %#x that record %d has there", e.kind, base.number)
	}
	return a, nil
}
