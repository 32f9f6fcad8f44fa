package lvm

import (
	"io"
	"sort"

	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/extent"
)

// concat is a device made of areas of another, one behind the other.
type concat struct {
	r     block.Reader
	areas []extent.Extent
	ends  []int64 // of each area, in the concatenation
}

var (
	_ block.Reader   = (*concat)(nil)
	_ block.Sectored = (*concat)(nil)
)

func newConcat(r block.Reader, areas []extent.Extent) *concat {
	c := &concat{r: r, areas: areas}
	end := int64(0)
	for _, a := range areas {
		end += a.Length
		c.ends = append(c.ends, end)
	}
	return c
}

func (c *concat) Size() int64 {
	if len(c.ends) == 0 {
		return 0
	}
	return c.ends[len(c.ends)-1]
}

func (c *concat) SectorSize() int { return block.SectorSizeOf(c.r) }

func (c *concat) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	i := sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > off })
	for ; off >= 0 && i < len(c.areas) && done < len(p); i++ {
		a := c.areas[i]
		inside := off - (c.ends[i] - a.Length)
		n := int(min(int64(len(p)-done), a.Length-inside))
		got, err := c.r.ReadAt(p[done:done+n], a.Start+inside)
		done += got
		off += int64(got)
		if got < n {
			return done, err
		}
	}
	if done < len(p) {
		return done, io.EOF
	}
	return done, nil
}
