package fit

import (
	"fmt"
	"slices"
)

// grow gives the room that is left to those who shall have it. It is called on a
// settled layout: what lies before the first that grows stays.
func (l *layout) grow(w wishes) (notes []string, err error) {
	var growing []int
	switch {
	case w.Grow == "none":
		return nil, nil
	case w.number >= 0:
		i := slices.IndexFunc(l.items, func(it item) bool { return it.number == w.number && it.growable() })
		if i < 0 {
			return nil, l.cannotGrow(w.number)
		}
		growing = []int{i}
	case w.Grow == "proportional":
		growing = l.growable(func(it item) bool { return !it.spared() })
	case l.target.Size > l.table.DiskSize:
		growing, notes = l.automatic()
	}
	if len(growing) == 0 {
		return notes, nil
	}
	l.fixed = growing[0] + 1
	l.share(growing)
	last := &l.items[growing[len(growing)-1]]
	before := last.length
	l.stretch(growing[len(growing)-1])
	l.settle()
	if w.number >= 0 && last.length == before {
		notes = append(notes, fmt.Sprintf("Partition %d does not grow: there is no room for more.", w.number))
	}
	return notes, nil
}

// growable lists the items that can grow and are what is asked for.
func (l *layout) growable(is func(item) bool) []int {
	var out []int
	for i, it := range l.items {
		if it.growable() && is(it) {
			out = append(out, i)
		}
	}
	return out
}

// automatic chooses the last item with a system. Without one it is the largest,
// unless something larger, which we cannot look into, makes that a bad guess.
func (l *layout) automatic() (growing []int, notes []string) {
	if own := l.growable(func(it item) bool { return !it.spared() && it.volume.System }); len(own) > 0 {
		return own[len(own)-1:], nil
	}
	largest, closed := -1, -1
	for i, it := range l.items {
		switch {
		case it.spared() || it.swap():
		case it.growable():
			if largest < 0 || it.length >= l.items[largest].length {
				largest = i
			}
		case opaque(it.kind) && (closed < 0 || it.length >= l.items[closed].length):
			closed = i
		}
	}
	if closed >= 0 && (largest < 0 || l.items[largest].length < l.items[closed].length) {
		it := l.items[closed]
		return nil, []string{fmt.Sprintf("Nothing grows: partition %d (%s) is the largest, and what is in it is not looked into.%s", it.number, it.kind, l.choices())}
	}
	if largest < 0 {
		return nil, nil
	}
	return []int{largest}, nil
}

// choices is the sentence that lists what could be asked to grow.
func (l *layout) choices() string {
	var out []item
	for _, i := range l.growable(func(item) bool { return true }) {
		out = append(out, l.items[i])
	}
	switch len(out) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf(" Partition %s can grow.", numbers(out))
	}
	return fmt.Sprintf(" Partitions %s can grow.", numbers(out))
}

func (l *layout) cannotGrow(number int) error {
	why := "there is no such partition"
	for _, it := range l.items {
		switch {
		case it.number != number:
		case it.head:
			why = "it is an extended partition, which is as large as what it holds"
		default:
			why = fmt.Sprintf("%s cannot be made larger", it.kind)
		}
	}
	choices := l.choices()
	if choices == "" {
		choices = " No partition can grow."
	}
	return &OptionError{fmt.Sprintf("grow %d: %s.%s", number, why, choices)}
}

// share gives each of several items room by its size, as much as there is.
func (l *layout) share(growing []int) {
	if len(growing) < 2 {
		return
	}
	var base []int64
	total := int64(0)
	for _, i := range growing {
		base = append(base, l.items[i].length)
		total += l.items[i].length
	}
	give := func(n int64) bool {
		for k, i := range growing {
			it := &l.items[i]
			it.length = max(base[k], min(base[k]+proportion(n, base[k], total)*mib, it.most))
		}
		return l.fits()
	}
	least := smallest(l.limit/mib+1, func(n int64) bool { return !give(n) })
	give(max(0, least-1))
}

// stretch gives one item all the room there is, up to a whole number of MiB on
// the disk.
func (l *layout) stretch(i int) {
	it := &l.items[i]
	base := it.length
	begin := it.want
	if i >= l.fixed {
		places, _ := l.earliest()
		begin = places[i]
	}
	give := func(n int64) bool {
		it.length = max(base, min(down(begin+base, l.grain)+n*l.grain-begin, it.most/l.grain*l.grain))
		return l.fits()
	}
	least := smallest(l.limit/l.grain+1, func(n int64) bool { return !give(n) })
	give(max(0, least-1))
}
