package ntfs

import (
	"bytes"
	"context"
	"encoding/binary"

	"github.com/ingot-imaging/ingot/internal/block"
)

// Numbers of the MFT records that have a fixed meaning.
const (
	recordMFT     = 0
	recordMirror  = 1
	recordLogFile = 2
	recordVolume  = 3
	recordRoot    = 5
	recordBitmap  = 6
	recordBoot    = 7
)

// maxList is the most bytes Windows lets an attribute list have.
const maxList = 256 << 10

// mft is the master file table.
type mft struct {
	r    block.Reader
	boot boot
	data stream
}

// openMFT finds the whole table, which its own first record describes. Records
// that extend the first one lie in parts of the table that the pieces before
// them describe, so the table grows while it is read.
func openMFT(ctx context.Context, r block.Reader, b boot) (mft, error) {
	m := mft{r: r, boot: b, data: stream{what: "$MFT", size: b.record, initialized: b.record}}
	m.data.runs = []run{{0, b.mft, (b.record + b.cluster - 1) / b.cluster}}
	if b.mft+m.data.mapped() > b.clusters {
		return m, damaged("$MFT", b.mft*b.cluster, "it begins at the end of the volume")
	}
	first, err := m.record(recordMFT)
	if err != nil {
		return m, err
	}
	m.data = stream{what: "$MFT"}
	if err := m.collect(ctx, first, attrData, nil, &m.data); err != nil {
		return m, err
	}
	if len(m.data.runs) == 0 || m.data.runs[0].lcn != b.mft {
		return m, damaged("$MFT", first.offset, "its run list does not begin where the boot sector says")
	}
	return m, nil
}

// record reads a record that must be in use.
func (m *mft) record(number int64) (record, error) {
	return m.recordInto(make([]byte, m.boot.record), number)
}

func (m *mft) recordInto(p []byte, number int64) (record, error) {
	at := number * m.boot.record
	if err := m.data.readAt(m.r, m.boot, p, at); err != nil {
		return record{}, err
	}
	r, err := parseRecord(p, number, m.data.offset(m.boot, at))
	if err == nil && r.flags&recordInUse == 0 {
		err = damaged(r.what(), r.offset, "is not in use")
	}
	return r, err
}

// stream returns the attribute of a base record, whose name in errors is what.
func (m *mft) stream(ctx context.Context, base record, kind uint32, name []byte, what string) (stream, error) {
	s := stream{what: what}
	err := m.collect(ctx, base, kind, name, &s)
	return s, err
}

// file returns the unnamed data of a file with a fixed record.
func (m *mft) file(ctx context.Context, number int64, what string) (stream, error) {
	base, err := m.record(number)
	if err != nil {
		return stream{}, err
	}
	s, err := m.stream(ctx, base, attrData, nil, what)
	if err == nil && !s.found {
		err = damaged(what, base.offset, "has no data attribute")
	}
	return s, err
}

// collect adds every piece of an attribute to s, which stays not found when the
// file has no such attribute.
func (m *mft) collect(ctx context.Context, base record, kind uint32, name []byte, s *stream) error {
	a, ok := base.find(attrList, nil)
	if !ok {
		if a, ok = base.find(kind, name); ok {
			return s.add(m.boot, a)
		}
		return nil
	}
	list, err := m.list(base, a)
	if err != nil {
		return err
	}
	scratch := make([]byte, m.boot.record)
	for len(list) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		var e listEntry
		if e, list, err = nextEntry(base, list); err != nil {
			return err
		}
		if e.kind != kind || !bytes.Equal(e.name, name) {
			continue
		}
		piece, err := m.piece(scratch, base, e)
		if err != nil {
			return err
		}
		if err := s.add(m.boot, piece); err != nil {
			return err
		}
	}
	return nil
}

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
