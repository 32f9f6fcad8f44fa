package view

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/ingot-imaging/ingot/internal/extent"
)

// pages is the set of grid blocks that were written: for each MiB with one, a bit
// for each of its blocks.
type pages map[int64]*[pageWords]uint64

const (
	pageSpan  = 1 << 20
	pageWords = pageSpan / grid / 64
)

// set adds the blocks that [from, to) touches.
func (p pages) set(from, to int64) {
	for b := from / grid; b*grid < to; b++ {
		page, bit := b*grid/pageSpan, b%(pageSpan/grid)
		if p[page] == nil {
			p[page] = new([pageWords]uint64)
		}
		p[page][bit/64] |= 1 << (bit % 64)
	}
}

func (p pages) has(block int64) bool {
	page := p[block*grid/pageSpan]
	bit := block % (pageSpan / grid)
	return page != nil && page[bit/64]>>(bit%64)&1 == 1
}

// run says whether the block at from was written, and up to where, at most to,
// the same is true.
func (p pages) run(from, to int64) (written bool, end int64) {
	written = p.has(from / grid)
	for end = from/grid*grid + grid; end < to; {
		if !written && p[end/pageSpan] == nil {
			end = (end/pageSpan + 1) * pageSpan
			continue
		}
		if p.has(end/grid) != written {
			break
		}
		end += grid
	}
	return written, min(end, to)
}

// extents is the set as a list.
func (p pages) extents() extent.List {
	var b extent.Builder
	for _, page := range slices.Sorted(maps.Keys(p)) {
		for i, word := range p[page] {
			for word != 0 {
				start := bits.TrailingZeros64(word)
				length := bits.TrailingZeros64(^(word >> start))
				b.Add(page*pageSpan+int64(i*64+start)*grid, int64(length)*grid)
				if start+length == 64 {
					break
				}
				word &^= (1<<length - 1) << start
			}
		}
	}
	return b.List()
}
