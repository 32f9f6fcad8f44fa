package part

import "bytes"

// run is the piece in which zeros are left out of a Table's Sectors, bytes.
const run = 512

// NonZero splits data, which lies at offset off on a disk, into runs of whole
// 512-byte pieces that hold something else than zeros. The result shares data's
// memory.
func NonZero(off int64, data []byte) []Sectors {
	var out []Sectors
	start := -1
	for at := 0; at < len(data); at += run {
		zero := len(bytes.TrimLeft(data[at:min(at+run, len(data))], "\x00")) == 0
		switch {
		case !zero && start < 0:
			start = at
		case zero && start >= 0:
			out = append(out, Sectors{off + int64(start), data[start:at]})
			start = -1
		}
	}
	if start >= 0 {
		out = append(out, Sectors{off + int64(start), data[start:]})
	}
	return out
}

// Raw returns a copy of the n bytes at offset off as Sectors holds them; what
// it does not hold is zero.
func (t Table) Raw(off int64, n int) []byte {
	out := make([]byte, n)
	for _, s := range t.Sectors {
		from, to := max(off, s.Offset), min(off+int64(n), s.Offset+int64(len(s.Data)))
		if from < to {
			copy(out[from-off:], s.Data[from-s.Offset:to-s.Offset])
		}
	}
	return out
}
