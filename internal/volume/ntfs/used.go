package ntfs

import (
	"context"
	"encoding/binary"
	"math/bits"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// bitmapPiece is how much of $Bitmap is read at once, in bytes.
const bitmapPiece = 1 << 20

// systemFile is a metadata file whose clusters $Bitmap must call used. NTFS
// keeps no count of free clusters to hold the bitmap against, so this is what
// tells a bitmap from garbage.
type systemFile struct {
	name    string
	extents extent.List
}

// findSystemFiles locates $Bitmap and the other files that Used relies on.
func (v *vol) findSystemFiles(ctx context.Context) error {
	v.system = []systemFile{{"$MFT", v.mft.data.extents(v.boot, 0)}}
	for _, f := range []struct {
		record int64
		name   string
	}{
		{recordMirror, "$MFTMirr"},
		{recordLogFile, "$LogFile"},
		{recordBitmap, "$Bitmap"},
		{recordBoot, "$Boot"},
	} {
		s, err := v.mft.file(ctx, f.record, f.name)
		if err != nil {
			return err
		}
		if f.record == recordBitmap {
			v.bitmap = s
		}
		v.system = append(v.system, systemFile{f.name, s.extents(v.boot, 0)})
	}
	return v.checkBitmap()
}

// checkBitmap holds the size of $Bitmap against the number of clusters.
func (v *vol) checkBitmap() error {
	need := (v.boot.clusters + 7) / 8
	if have := min(v.bitmap.size, v.bitmap.initialized); have < need {
		return damaged("$Bitmap", -1, "%d bytes for %d clusters", have, v.boot.clusters)
	}
	for _, r := range v.bitmap.runs {
		if r.lcn == hole && r.vcn*v.boot.cluster < need {
			return damaged("$Bitmap", -1, "a hole at its cluster %d", r.vcn)
		}
	}
	return nil
}

func (v *vol) Used(ctx context.Context) (extent.List, error) {
	if err := v.info.Blocking(); err != nil {
		return nil, err
	}
	var b extent.Builder
	for first := int64(0); first < v.boot.clusters; first += bitmapPiece * 8 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := v.addPiece(&b, first, min(bitmapPiece*8, v.boot.clusters-first)); err != nil {
			return nil, err
		}
	}
	v.addTail(&b)
	used := b.List()
	return used, v.checkSystem(used)
}

// addPiece adds the used ones of n clusters, first of which is a multiple of 8.
func (v *vol) addPiece(b *extent.Builder, first, n int64) error {
	p := make([]byte, (n+63)/64*8)
	if err := v.bitmap.readAt(v.r, v.boot, p[:(n+7)/8], first/8); err != nil {
		return err
	}
	for from := nextBit(p, 0, n, 1); from < n; {
		to := nextBit(p, from, n, 0)
		e := v.boot.bytesOf(first+from, to-from)
		b.Add(e.Start, e.Length)
		from = nextBit(p, to, n, 1)
	}
	return nil
}

// nextBit is the position of the first bit of a value at or behind from, n if
// there is none. len(p) is a multiple of 8.
func nextBit(p []byte, from, n int64, value uint) int64 {
	var flip uint64
	if value == 0 {
		flip = ^flip
	}
	for from < n {
		word := (binary.LittleEndian.Uint64(p[from/64*8:]) ^ flip) >> (from % 64)
		if word != 0 {
			return min(n, from+int64(bits.TrailingZeros64(word)))
		}
		from = from/64*64 + 64
	}
	return n
}

// addTail adds what lies behind the last whole cluster: the rest of the
// volume's sectors with the backup boot sector, and the last sector of the
// partition, where the backup is when the partition is larger.
func (v *vol) addTail(b *extent.Builder) {
	start := v.boot.clusters * v.boot.cluster
	end := min(v.boot.claimed(), v.r.Size())
	b.Add(start, end-start)
	last := v.r.Size()/v.boot.sector*v.boot.sector - v.boot.sector
	b.Add(max(last, end), last+v.boot.sector-max(last, end))
}

// checkSystem fails when the map leaves out a metadata file.
func (v *vol) checkSystem(used extent.List) error {
	for _, f := range v.system {
		for _, e := range f.extents {
			if used.Clip(e).Bytes() != e.Length {
				return damaged("$Bitmap", v.bitmap.offset(v.boot, e.Start/v.boot.cluster/8), "calls clusters of %s free, in %v", f.name, e)
			}
		}
	}
	return nil
}
