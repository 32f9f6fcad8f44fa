package exfat

import (
	"context"
	"fmt"
	"io"
	"math/bits"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// bitmapBytes is how much of an allocation bitmap has a meaning.
func (g *geometry) bitmapBytes() int64 { return (g.clusters + 7) / 8 }

func bitmapName(i int) string { return fmt.Sprintf("allocation bitmap %d", i+1) }

// readBitmap returns the clusters that the allocation bitmap at a cluster has
// set (section 7.1.5: one bit a cluster, the least significant first).
func (v *exfatVolume) readBitmap(ctx context.Context, cluster int64, what string) (extent.List, error) {
	var used extent.Builder
	at := int64(firstCluster) // cluster of the next byte's first bit
	c := newChain(v.r, v.geometry, cluster, what)
	err := c.each(ctx, v.bitmapBytes(), func(piece []byte) (bool, error) {
		for _, set := range piece {
			if set != 0 {
				v.addByte(&used, at, set)
			}
			at += 8
		}
		return false, nil
	})
	if err == io.EOF {
		err = c.damage(-1, "it ends with cluster %d of %d", at-firstCluster, v.clusters)
	}
	return used.List(), err
}

// addByte takes the bits of eight clusters, the first of which is at.
func (v *exfatVolume) addByte(used *extent.Builder, at int64, set byte) {
	if left := v.clusters + firstCluster - at; left < 8 {
		set &= 1<<left - 1 // bits behind the last cluster mean nothing
	}
	if set == 0xff {
		used.Add(v.clusterOffset(at), 8*v.clusterSize)
		return
	}
	for ; set != 0; set &= set - 1 {
		used.Add(v.clusterOffset(at+int64(bits.TrailingZeros8(set))), v.clusterSize)
	}
}

// checkChain fails when the bitmaps call a cluster free that the first length
// bytes of a chain occupy. The chain may be shorter.
func (v *exfatVolume) checkChain(ctx context.Context, allocated extent.List, cluster, length int64, what string) error {
	c := newChain(v.r, v.geometry, cluster, what)
	for length > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := c.run((length + v.clusterSize - 1) / v.clusterSize)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if allocated.Clip(e).Bytes() != e.Length {
			return c.damage(e.Start, "the allocation bitmap calls clusters in %v free", e)
		}
		length -= e.Length
	}
	return nil
}
