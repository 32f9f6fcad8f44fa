package boot

import (
	"bytes"
	"errors"
	"slices"
)

// Entry is a boot entry as it should be.
type Entry struct {
	Label string
	Place
}

// Changes are what EnsureEntry did.
type Changes struct {
	Number  Number   `json:"number"`            // of the entry
	Made    bool     `json:"made"`              // false: it was there
	Removed []Number `json:"removed,omitempty"` // entries for the same file whose partition lay elsewhere, and repetitions
	Order   []Number `json:"order"`             // as it is now
}

// An existing entry that names a file on a partition.
type existing struct {
	Number
	option LoadOption
	place  Place
}

// EnsureEntry makes the firmware try e first. An entry for the same place is used
// again, so that they do not pile up; those for the same file whose partition
// lies elsewhere now are removed. Other entries stay, in their order.
//
// The new entry is there before the order names it, and the order does not name
// an entry any more before that is removed: a power cut in between leaves the old
// ones usable.
func EnsureEntry(v Variables, e Entry) (Changes, error) {
	if e.Partition <= 0 || e.Start <= 0 || e.Size <= 0 || e.File == "" {
		return Changes{}, errors.New("a boot entry needs a partition, its place and a file")
	}
	path, err := e.path()
	if err != nil {
		return Changes{}, err
	}
	numbers, err := v.numbers()
	if err != nil {
		return Changes{}, err
	}
	order, err := v.Order()
	if err != nil {
		return Changes{}, err
	}
	same := v.same(numbers, order, e.Place)
	c := Changes{}
	if i := slices.IndexFunc(same, func(x existing) bool { return samePlace(x, e.Place) }); i >= 0 {
		c.Number = same[i].Number
		same = slices.Delete(same, i, i+1)
	} else if c.Number, err = v.create(numbers, LoadOption{Attributes: active, Label: e.Label, Path: path}); err != nil {
		return Changes{}, err
	} else {
		c.Made = true
	}
	for _, x := range same {
		c.Removed = append(c.Removed, x.Number)
	}
	c.Order = slices.DeleteFunc(slices.Clone(order), func(n Number) bool { return n == c.Number || slices.Contains(c.Removed, n) })
	c.Order = slices.Insert(c.Order, 0, c.Number)
	if !slices.Equal(c.Order, order) {
		if err := v.setOrder(c.Order); err != nil {
			return c, err
		}
	}
	for _, n := range c.Removed {
		if err := v.remove(n.String()); err != nil {
			return c, err
		}
	}
	return c, nil
}

// samePlace reports whether x can be used for p as it is: active, with no data of
// another loader's.
func samePlace(x existing, p Place) bool {
	p.File, x.place.File = "", "" // Same compared them
	return x.place == p && x.option.Attributes&active != 0
}

// same returns the entries for p's file and partition, those that are tried first
// before the others. Entries that cannot be read are somebody else's.
func (v Variables) same(numbers, order []Number, p Place) []existing {
	var all []existing
	for _, n := range byOrder(numbers, order) {
		b, err := v.read(n.String())
		if err != nil {
			continue
		}
		o, err := ParseLoadOption(b)
		if err != nil {
			continue
		}
		if place, ok := o.Place(); ok && place.Same(p) {
			all = append(all, existing{n, o, place})
		}
	}
	return all
}

// byOrder sorts numbers as order has them; the others come last.
func byOrder(numbers, order []Number) []Number {
	var all []Number
	for _, n := range slices.Concat(order, numbers) {
		if slices.Contains(numbers, n) && !slices.Contains(all, n) {
			all = append(all, n)
		}
	}
	return all
}

// create makes an entry under the lowest free number, and reads it back: there is
// firmware that stores something else.
func (v Variables) create(taken []Number, o LoadOption) (Number, error) {
	n := Number(0)
	for slices.Contains(taken, n) {
		n++
	}
	if err := v.write(n.String(), o.Bytes()); err != nil {
		return 0, err
	}
	b, err := v.read(n.String())
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(b, o.Bytes()) {
		return 0, errors.New("the firmware did not keep the boot entry " + n.String() + " as it was written")
	}
	return n, nil
}
