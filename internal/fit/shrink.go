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

// A resort is one way to make room: the length to which it brings an item, the
// item's own when it is none for it.
type resort func(item) int64

// resorts are tried in their order.
func resorts() []resort { return []resort{byTools, byRebuilding, bySwap, byAnything} }

// byTools has the formats' own tools shrink what is not needed to start.
func byTools(it item) int64 {
	if it.spared() || it.swap() {
		return it.length
	}
	return min(it.length, it.byTool())
}

// byRebuilding copies files into smaller file systems.
func byRebuilding(it item) int64 {
	if it.spared() || it.swap() {
		return it.length
	}
	return min(it.length, it.byRebuild())
}

func bySwap(it item) int64 {
	if !it.swap() {
		return it.length
	}
	return min(it.length, leastSwap)
}

// byAnything takes from the partitions that firmware and recovery use as well.
func byAnything(it item) int64 {
	if it.head || it.swap() {
		return it.length
	}
	return min(it.length, it.byTool(), it.byRebuild())
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
		if givers := l.givers(least); len(givers) > 0 {
			l.squeeze(givers[:1])
			l.squeeze(givers[1:])
		}
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
		x, y := l.items[a.index].volume.System, l.items[b.index].volume.System
		switch {
		case x && !y:
			return -1
		case y && !x:
			return 1
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
	give(smallest(shares, give))
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
			least.items[i].length = resort(it)
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
