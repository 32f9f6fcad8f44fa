package files

import (
	"encoding/binary"
	"maps"
	"slices"

	"github.com/ingot-imaging/ingot/internal/chunk"
)

// magic begins every listing; its last digit is the version of the format.
const magic = "ingotls1"

// typeBits are the bits of an entry's first number that are its type; above them
// are those that say what else it has.
const typeBits = 4

const (
	hasFlags = 1 << (typeBits + iota)
	hasAttrs
	hasAtime
	hasTimes
	hasStreams
	isSubvolume
	isReadOnly
	isReserved

	knownBits = isReserved<<1 - 1
)

// Encode returns the listing's bytes.
func (l *Listing) Encode() []byte {
	b := []byte(magic)
	b = appendBytes(b, l.Kind)
	b = binary.AppendUvarint(b, uint64(len(l.Spec)))
	for _, key := range slices.Sorted(maps.Keys(l.Spec)) {
		b = appendBytes(b, key)
		b = appendBytes(b, l.Spec[key])
	}
	b = binary.AppendUvarint(b, uint64(l.Contents/chunk.Grid))
	b = binary.AppendUvarint(b, uint64(len(l.Sets)-1))
	for _, set := range l.Sets[1:] {
		b = binary.AppendUvarint(b, uint64(len(set)))
		for _, a := range set {
			b = appendBytes(b, a.Name)
			b = appendBytes(b, a.Value)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(l.Entries)))
	for i := range l.Entries {
		b = l.Entries[i].append(b)
	}
	return b
}

func (e *Entry) append(b []byte) []byte {
	b = binary.AppendUvarint(b, e.bits())
	b = appendBytes(b, e.Name)
	if e.Type == Link {
		return binary.AppendUvarint(b, uint64(e.More.Link))
	}
	b = binary.AppendUvarint(b, uint64(e.Mode))
	b = binary.AppendUvarint(b, uint64(e.UID))
	b = binary.AppendUvarint(b, uint64(e.GID))
	b = e.Mtime.append(b)
	if e.Atime != e.Mtime {
		b = e.Atime.append(b)
	}
	if e.Flags != 0 {
		b = binary.AppendUvarint(b, uint64(e.Flags))
	}
	if e.Attrs != 0 {
		b = binary.AppendUvarint(b, uint64(e.Attrs))
	}
	more := e.more()
	if more.Times != nil {
		b = more.Times.Birth.append(b)
		b = more.Times.Change.append(b)
	}
	switch e.Type {
	case Dir:
		b = binary.AppendUvarint(b, uint64(e.Count))
	case File:
		b = e.Data.append(b)
	case Symlink:
		b = appendBytes(b, more.Target)
	case CharDevice, BlockDevice:
		b = binary.AppendUvarint(b, uint64(more.Major))
		b = binary.AppendUvarint(b, uint64(more.Minor))
	}
	if len(more.Streams) == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(len(more.Streams)))
	for i := range more.Streams {
		b = appendBytes(b, more.Streams[i].Name)
		b = more.Streams[i].Data.append(b)
	}
	return b
}

// bits are the entry's type and which of its parts follow.
func (e *Entry) bits() uint64 {
	bits := uint64(e.Type)
	if e.Type == Link {
		return bits
	}
	more := e.more()
	for bit, has := range map[uint64]bool{
		hasFlags: e.Flags != 0, hasAttrs: e.Attrs != 0, hasAtime: e.Atime != e.Mtime, hasTimes: more.Times != nil,
		hasStreams: len(more.Streams) > 0, isSubvolume: more.Subvolume, isReadOnly: more.ReadOnly, isReserved: more.Reserved,
	} {
		if has {
			bits |= bit
		}
	}
	return bits
}

// more is e.More, or nothing.
func (e *Entry) more() More {
	if e.More == nil {
		return More{}
	}
	return *e.More
}

// append writes the size, its lowest bit saying whether there are holes; then
// the stored extents, and where they lie, if there are any.
func (d *Data) append(b []byte) []byte {
	if !d.Sparse {
		b = binary.AppendUvarint(b, uint64(d.Size)<<1)
	} else {
		b = binary.AppendUvarint(b, uint64(d.Size)<<1|1)
		b = binary.AppendUvarint(b, uint64(len(d.Stored)))
		end := int64(0)
		for _, e := range d.Stored {
			b = binary.AppendUvarint(b, uint64(e.Start-end)/chunk.Grid)
			b = binary.AppendUvarint(b, uint64(e.Length))
			end = onGrid(e.End())
		}
	}
	if d.length() == 0 {
		return b
	}
	return binary.AppendUvarint(b, uint64(d.At/chunk.Grid))
}

func (t Time) append(b []byte) []byte {
	b = binary.AppendVarint(b, t.Sec)
	return binary.AppendUvarint(b, uint64(t.Nsec))
}

func appendBytes[T string | []byte](b []byte, s T) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}
