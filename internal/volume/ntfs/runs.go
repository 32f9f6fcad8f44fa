package ntfs

import (
	"errors"
	"fmt"
)

const (
	// hole is the first cluster of a run that has none.
	hole = -1
	// maxVCN bounds a stream to 2^40 clusters: more than a volume can have, and
	// few enough to count their bytes in 63 bits.
	maxVCN = 1 << 40
	// maxRuns bounds the memory of one stream to 1.5 MiB. The MFT of a badly
	// fragmented disk has some thousand runs.
	maxRuns = 1 << 16
)

// run is a stretch of a stream that lies in consecutive clusters.
type run struct {
	vcn   int64 // where it is in the stream, in clusters
	lcn   int64 // where it is on the volume, in clusters; or hole
	count int64 // clusters
}

func (r run) end() int64 { return r.vcn + r.count }

var errRunEnd = errors.New("run list is cut off")

// appendRuns decodes one coded run list that begins at cluster vcn of its
// stream, and returns the cluster behind it.
//
// Coding: a byte whose low half is the size of the length field and whose high
// half is that of the offset field, then the two, signed and little-endian. The
// offset counts from the run before; without one the run is a hole. A zero byte
// ends the list.
func (b boot) appendRuns(runs []run, pairs []byte, vcn int64) ([]run, int64, error) {
	lcn := int64(0)
	for {
		if len(pairs) == 0 {
			return runs, vcn, errRunEnd
		}
		head := pairs[0]
		if head == 0 {
			return runs, vcn, nil
		}
		lengthSize, offsetSize := int(head&0xF), int(head>>4)
		if lengthSize > 8 || offsetSize > 8 {
			return runs, vcn, fmt.Errorf("run with fields of %d and %d bytes", lengthSize, offsetSize)
		}
		if len(pairs) < 1+lengthSize+offsetSize {
			return runs, vcn, errRunEnd
		}
		r := run{vcn, hole, signed(pairs[1 : 1+lengthSize])}
		if r.count <= 0 || r.count > maxVCN-vcn {
			return runs, vcn, fmt.Errorf("run of %d clusters", r.count)
		}
		if offsetSize > 0 {
			lcn += signed(pairs[1+lengthSize : 1+lengthSize+offsetSize])
			if lcn < 0 || lcn >= b.clusters || r.count > b.clusters-lcn {
				return runs, vcn, fmt.Errorf("run of %d clusters at %d of %d", r.count, lcn, b.clusters)
			}
			r.lcn = lcn
		}
		if len(runs) >= maxRuns {
			return runs, vcn, fmt.Errorf("more than %d runs", maxRuns)
		}
		runs, vcn, pairs = append(runs, r), r.end(), pairs[1+lengthSize+offsetSize:]
	}
}

// signed is the little-endian two's complement number in p, of 0 to 8 bytes.
func signed(p []byte) int64 {
	if len(p) == 0 {
		return 0
	}
	v := int64(int8(p[len(p)-1]))
	for i := len(p) - 2; i >= 0; i-- {
		v = v<<8 | int64(p[i])
	}
	return v
}
