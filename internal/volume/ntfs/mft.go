package ntfs

import (
	"bytes"
	"context"

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
