package ntfs

import (
	"sort"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// Flags of a stream (ATTRIB.flags).
const (
	streamCompressed = 0x00FF
	streamEncrypted  = 0x4000
	streamSparse     = 0x8000
)

// stream is the content of one attribute, put together from all its pieces.
type stream struct {
	what        string // for errors: "$Bitmap"
	found       bool   // false when there is no such attribute
	flags       uint16
	value       []byte // the content when it is resident; runs is nil then
	runs        []run  // ascending, without a gap from cluster 0 of the stream
	size        int64  // bytes
	initialized int64  // bytes behind this read as zeros
}

// mapped is the number of clusters that runs cover.
func (s *stream) mapped() int64 {
	if len(s.runs) == 0 {
		return 0
	}
	return s.runs[len(s.runs)-1].end()
}

// add appends the next piece of the attribute.
func (s *stream) add(b boot, a attr) error {
	bad := func(format string, args ...any) error {
		return damaged(s.what, -1, format, args...)
	}
	if !a.nonResident {
		if s.found {
			return bad("a resident piece among others")
		}
		s.found, s.flags = true, a.flags
		s.value = append([]byte(nil), a.value...)
		s.size, s.initialized = int64(len(s.value)), int64(len(s.value))
		return nil
	}
	if a.firstVCN != s.mapped() || s.value != nil {
		return bad("a piece begins at its cluster %d, the one before ended at %d", a.firstVCN, s.mapped())
	}
	if a.firstVCN == 0 {
		s.found, s.flags, s.size, s.initialized = true, a.flags, a.size, a.initialized
	}
	runs, end, err := b.appendRuns(s.runs, a.pairs, a.firstVCN)
	if err != nil {
		return bad("%v", err)
	}
	if end != a.lastVCN+1 {
		return bad("its runs end at its cluster %d, not at %d", end, a.lastVCN+1)
	}
	s.runs = runs
	return nil
}

// readAt fills p from byte off of the stream.
func (s *stream) readAt(r block.Reader, b boot, p []byte, off int64) error {
	if off < 0 || off > s.size || int64(len(p)) > s.size-off {
		return damaged(s.what, -1, "%d bytes wanted at %d of %d", len(p), off, s.size)
	}
	if valid := max(0, s.initialized-off); valid < int64(len(p)) {
		clear(p[valid:])
		p = p[:valid]
	}
	if s.value != nil {
		copy(p, s.value[off:])
		return nil
	}
	for i := s.index(off / b.cluster); len(p) > 0; i++ {
		if i >= len(s.runs) {
			return damaged(s.what, -1, "its runs end before byte %d of %d", off, s.size)
		}
		into := off - s.runs[i].vcn*b.cluster
		n := min(int64(len(p)), s.runs[i].count*b.cluster-into)
		if s.runs[i].lcn == hole {
			clear(p[:n])
		} else if err := block.ReadFull(r, p[:n], s.runs[i].lcn*b.cluster+into); err != nil {
			return err
		}
		p, off = p[n:], off+n
	}
	return nil
}

// index is the position in runs of the one that holds cluster vcn.
func (s *stream) index(vcn int64) int {
	return sort.Search(len(s.runs), func(i int) bool { return s.runs[i].end() > vcn })
}

// offset is where byte off of the stream lies on the volume, -1 when nowhere.
func (s *stream) offset(b boot, off int64) int64 {
	i := s.index(off / b.cluster)
	if i >= len(s.runs) || s.runs[i].lcn == hole {
		return -1
	}
	return (s.runs[i].lcn-s.runs[i].vcn)*b.cluster + off
}

// extents is where the stream lies on the volume, from cluster first of it on.
func (s *stream) extents(b boot, first int64) extent.List {
	var out []extent.Extent
	for _, r := range s.runs {
		if r.lcn == hole || r.end() <= first {
			continue
		}
		skip := max(0, first-r.vcn)
		out = append(out, b.bytesOf(r.lcn+skip, r.count-skip))
	}
	return extent.Of(out...)
}
