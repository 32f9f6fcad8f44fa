package ntfs

import (
	"bytes"
	"context"

	"github.com/ingot-imaging/ingot/internal/block"
)

// What tests damage on purpose.
const (
	RecordMFT     = recordMFT
	RecordMirror  = recordMirror
	RecordLogFile = recordLogFile
	RecordVolume  = recordVolume
	RecordRoot    = recordRoot
	RecordBitmap  = recordBitmap

	AttrVolumeInfo = attrVolumeInfo
	AttrData       = attrData
	AttrIndexRoot  = attrIndexRoot
)

// Place is where the content of an attribute lies on the volume, in bytes: the
// first attribute of its kind, in a record without attribute list.
func Place(r block.Reader, number int64, kind uint32) (int64, error) {
	b, _, err := readBoot(r)
	if err != nil {
		return 0, err
	}
	m, err := openMFT(context.Background(), r, b)
	if err != nil {
		return 0, err
	}
	rec, err := m.record(number)
	if err != nil {
		return 0, err
	}
	a, _, _ := rec.search(func(a attr) bool { return a.kind == kind })
	if !a.nonResident {
		return rec.offset + int64(bytes.Index(rec.data, a.value)), nil
	}
	var s stream
	err = s.add(b, a)
	return s.offset(b, 0), err
}

// PlaceRecord is where an MFT record lies on the volume, in bytes.
func PlaceRecord(r block.Reader, number int64) (int64, error) {
	b, _, err := readBoot(r)
	if err != nil {
		return 0, err
	}
	m, err := openMFT(context.Background(), r, b)
	return m.data.offset(b, number*b.record), err
}
