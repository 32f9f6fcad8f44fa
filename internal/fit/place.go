package fit

import "github.com/ingot-imaging/ingot/internal/part"

// place is the first place at or behind from where item i may begin. What may
// begin nowhere else begins where it was.
func (l *layout) place(i int, from int64) int64 {
	it := l.items[i]
	next := up(from, mib)
	if from <= it.want && (it.want <= next || it.pinned || i < l.fixed || l.table.Kind == part.None) {
		return it.want
	}
	return next
}

// earliest packs the items towards the start of the disk; end is where the last
// one ends.
func (l *layout) earliest() (places []int64, end int64) {
	end = l.floor
	for i, it := range l.items {
		at := l.place(i, end+it.lead)
		places = append(places, at)
		end = at + it.length
	}
	return places, end
}

// fits reports whether the items have room.
func (l *layout) fits() bool {
	if l.untouched() {
		return true
	}
	_, end := l.earliest()
	return end <= l.limit
}

// latest packs the items towards the end of the disk, given where they begin at
// the earliest. They must fit.
func (l *layout) latest(earliest []int64) []int64 {
	places := make([]int64, len(l.items))
	end := l.limit
	for i := len(l.items) - 1; i >= 0; i-- {
		it := l.items[i]
		at := max(down(end-it.length, mib), earliest[i])
		held := it.pinned || i < l.fixed || l.table.Kind == part.None
		if it.want <= end-it.length && (it.want >= at || held && earliest[i] == it.want) {
			at = it.want
		}
		places[i] = at
		end = at - it.lead
	}
	return places
}

// settle gives every item its place: where it was, as long as there is room, else
// as near as possible. They must fit.
func (l *layout) settle() {
	if l.untouched() {
		return
	}
	earliest, _ := l.earliest()
	latest := l.latest(earliest)
	end := l.floor
	for i := range l.items {
		it := &l.items[i]
		it.want = min(max(it.want, l.place(i, end+it.lead)), latest[i])
		end = it.want + it.length
	}
}

// unmoved reports whether nothing changes, if the target has room for it.
func (l *layout) unmoved() bool {
	for _, it := range l.items {
		if it.want != it.source.Start || !it.head && it.length != it.source.Length {
			return false
		}
	}
	return !l.converted || l.table.Kind != part.MBR
}

// untouched reports whether nothing changes at all. Then an odd chain of boot
// records needs no more room than it has already.
func (l *layout) untouched() bool { return l.unmoved() && l.sourceEnd() <= l.limit }

// sourceEnd is where the last item ends on the source.
func (l *layout) sourceEnd() int64 {
	end := int64(0)
	for _, it := range l.items {
		end = max(end, it.source.End())
	}
	return end
}
