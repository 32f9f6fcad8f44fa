package fit

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/ingot-imaging/ingot/internal/part"
)

// squeezed is an item that may give room, and the length it may come down to.
type squeezed struct {
	index int
	least int64
}

// slack is how much it can give, in whole MiB, the last one begun.
func (s squeezed) slack(l *layout) int64 { return up(l.items[s.index].length-s.least, mib) / mib }

// A resort is one way to make room; they are tried in their order.
type resort func(it item) (least int64)

// resorts are: what the formats' tools can do, copying the files into smaller file
// systems, less swap, and at last the partitions that firmware and recovery use.
func resorts() []resort {
	ours := func(it item) bool { return !it.spared() && it.volume.Kind != "swap" }
	return []resort{
		func(it item) int64 {
			if !ours(it) {
				return it.length
			}
			return it.byTool()
		},
		func(it item) int64 {
			if !ours(it) {
				return it.length
			}
			return min(it.byTool(), it.byRebuild())
		},
		func(it item) int64 {
			if it.head || it.volume.Kind != "swap" {
				return it.length
			}
			return min(it.length, leastSwap)
		},
		func(it item) int64 {
			if it.head || it.volume.Kind == "swap" {
				return it.length
			}
			return min(it.byTool(), it.byRebuild())
		},
	}
}

// leastSwap is what swap space is left with when nothing else helps, bytes.
const leastSwap = 256 * mib

// shrink takes room from those who can give it, no more than is needed, until the
// items fit. It reports whether they do.
func (l *layout) shrink() bool {
	for _, least := range resorts() {
		if l.fits() {
			return true
		}
		givers := l.givers(least)
		if len(givers) == 0 {
			continue
		}
		l.squeeze(givers[:1])
		l.squeeze(givers[1:])
	}
	return l.fits()
}

// givers are the items that a resort makes smaller: the system's, then the others
// with the most slack first.
func (l *layout) givers(least resort) []squeezed {
	var out []squeezed
	for i, it := range l.items {
		if n := least(it); n < it.length {
			out = append(out, squeezed{i, n})
		}
	}
	slices.SortStableFunc(out, func(a, b squeezed) int {
		if x, y := l.items[a.index].volume.System, l.items[b.index].volume.System; x != y {
			return map[bool]int{true: -1, false: 1}[x]
		}
		return cmp.Compare(b.slack(l), a.slack(l))
	})
	return out
}

// shares is into how many parts slack is cut.
const shares = 1 << 20

// squeeze takes the same share of each giver's slack, as little as makes the items
// fit, or all of it.
func (l *layout) squeeze(givers []squeezed) {
	full := make([]int64, len(givers))
	for i, g := range givers {
		full[i] = l.items[g.index].length
	}
	give := func(n int64) bool {
		for i, g := range givers {
			slack := up(full[i]-g.least, mib) / mib
			part := (slack*n + shares - 1) / shares // slack is below 2^40
			l.items[g.index].length = max(g.least, full[i]-part*mib)
		}
		return l.fits()
	}
	if n := smallest(shares, give); len(givers) > 0 {
		give(n)
	}
}

// smallest is the smallest n of 0..most for which ok holds, most when it holds for
// none. What ok says may change once, from false to true.
func smallest(most int64, ok func(n int64) bool) int64 {
	low, high := int64(0), most
	for low < high {
		if middle := low + (high-low)/2; ok(middle) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// need is the size of the smallest disk that holds the items however they are
// fitted, -1 when the table cannot address one.
func (l *layout) need() int64 {
	least := *l
	least.items = slices.Clone(l.items)
	unchanged := l.unmoved()
	for _, resort := range resorts() {
		for i, it := range least.items {
			least.items[i].length = min(it.length, resort(it))
		}
	}
	places, end := least.earliest()
	if l.table.Kind == part.None {
		return end
	}
	t := l.table
	t.Partitions = least.partitions(places, end)
	need := t.MinDiskSize()
	if unchanged {
		need = min(need, l.table.MinDiskSize())
	}
	if t.Usable(need).End() < end && !unchanged {
		return -1
	}
	return need
}

// proportion is n·share/total without overflow; share is at most total.
func proportion(n, share, total int64) int64 {
	high, low := bits.Mul64(uint64(n), uint64(share))
	q, _ := bits.Div64(high, low, uint64(total))
	return int64(q)
}
