package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A trait is one thing in which two identities agree, or in which they differ:
// both know it, and know different values. Its points say how much that means.
//
// Merging two machines would let a job overwrite the disk of the wrong one; keeping
// one machine as two costs somebody a click. So the points ask for more than one
// agreement as soon as anything differs.
type trait struct {
	name          string
	agree, differ int
	// board: it lies on the main board, with which it is replaced. However many of
	// them differ, that is one event and costs once.
	board bool
	// alone: an agreement in this is enough when nothing differs.
	alone bool
	// shared is the value in which two agree, "" for none; known, whether both have one.
	shared func(a, b Identity) (value string, known bool)
}

// sureAt is how many points make two identities one machine: one strong agreement
// more than what differs takes away.
const sureAt = 3

// clearBy is how many points the best has above another that would be sure as well:
// two strong agreements.
const clearBy = 2 * sureAt

// traits are the whole rule, with the reason for each number.
func traits() []trait {
	return []trait{
		// Unique by design. But it is text that tools copy: clones of virtual machines,
		// boards of cheap series.
		{name: "UUID", agree: 3, differ: -2, board: true, alone: true,
			shared: func(a, b Identity) (string, bool) { return same(a.UUID, b.UUID) }},
		// On the label and in the papers; service writes it into a new board. Another
		// number is another machine, unless everything else says otherwise.
		{name: "serial number", agree: 3, differ: -3, alone: true,
			shared: func(a, b Identity) (string, bool) { return sameSerial(a.Serial, b.Serial) }},
		{name: "board", agree: 3, differ: -2, board: true, alone: true,
			shared: func(a, b Identity) (string, bool) { return sameSerial(a.Board, b.Board) }},
		// On the board mostly. All that a machine without SMBIOS has.
		{name: "MAC", agree: 3, differ: -2, board: true, alone: true,
			shared: func(a, b Identity) (string, bool) { return common(a.MACs, b.MACs) }},
		// Disks are swapped, and move to other machines: never enough alone, and less
		// than any of the above.
		{name: "disk", agree: 2, differ: -2,
			shared: func(a, b Identity) (string, bool) { return common(a.Disks, b.Disks) }},
		// Written by people: tags are changed, and repeated. Alone it serves lists of
		// machines that have nothing else.
		{name: "asset tag", agree: 1, differ: 0, alone: true,
			shared: func(a, b Identity) (string, bool) { return sameTag(a.Asset, b.Asset) }},
	}
}

// Likeness is how far two identities are one machine's.
type Likeness struct {
	Score  int
	Agree  []string // "UUID 4c4c4544-...", in the order of traits
	Differ []string // "serial number"
	alone  bool
}

// Compare says in what two identities agree and differ. The order of the two does
// not matter.
func Compare(a, b Identity) Likeness {
	var l Likeness
	board := 0
	for _, t := range traits() {
		value, known := t.shared(a, b)
		switch {
		case value != "":
			l.Score += t.agree
			l.Agree = append(l.Agree, t.name+" "+value)
			l.alone = l.alone || t.alone
		case known && t.board:
			board = min(board, t.differ)
			l.Differ = append(l.Differ, t.name)
		case known && t.differ < 0:
			l.Score += t.differ
			l.Differ = append(l.Differ, t.name)
		}
	}
	l.Score += board
	return l
}

// Sure reports whether it is the same machine.
func (l Likeness) Sure() bool {
	return l.Score >= sureAt || l.alone && len(l.Differ) == 0
}

// Match finds which of the known machines id is one of. Best is the most alike, nil
// when none shares anything; only when sure it is the same machine. Conflicts say,
// for people, what of id other machines claim too, or what made it unsure. Known
// needs to hold those machines alone that share one of id.Keys.
func Match(id Identity, known []Machine) (best *Machine, sure bool, conflicts []string) {
	type candidate struct {
		m *Machine
		l Likeness
	}
	var all []candidate
	for i := range known {
		if l := Compare(id, known[i].Identity); len(l.Agree) > 0 {
			all = append(all, candidate{&known[i], l})
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.l.Score, a.l.Score), strings.Compare(a.m.ID, b.m.ID))
	})
	if len(all) == 0 {
		return nil, false, nil
	}
	best, sure = all[0].m, all[0].l.Sure()
	if len(all) > 1 && all[1].l.Sure() && all[0].l.Score < all[1].l.Score+clearBy {
		sure = false // two are as likely: parts went from one to the other
	}
	others := all
	if sure {
		others = all[1:]
	}
	for i, c := range others {
		if i == maxConflicts {
			conflicts = append(conflicts, fmt.Sprintf("and so on, with %d more machines", len(others)-i))
			break
		}
		conflicts = append(conflicts, conflict(c.m.Name, c.l))
	}
	return best, sure, conflicts
}

// maxConflicts bounds what is said of a value that a whole series shares.
const maxConflicts = 8

func conflict(name string, l Likeness) string {
	verb := "is"
	if len(l.Agree) > 1 {
		verb = "are"
	}
	text := fmt.Sprintf("%s %s %s's too", strings.Join(l.Agree, " and "), verb, name)
	if len(l.Differ) > 0 {
		text += ", but not its " + strings.Join(l.Differ, ", ")
	}
	return text
}

// same is the value that a and b are, "" if they are not; known is whether both are.
func same(a, b string) (value string, known bool) {
	if a == b {
		return a, a != ""
	}
	return "", a != "" && b != ""
}

func sameTag(a, b string) (value string, known bool) {
	value, known = same(fold(a), fold(b))
	if value != "" {
		value = min(a, b)
	}
	return value, known
}

// sameSerial compares serial numbers with their makers. A maker that one does not
// know is no difference: lists have numbers alone.
func sameSerial(a, b string) (value string, known bool) {
	makerA, serialA, _ := strings.Cut(a, "/")
	makerB, serialB, _ := strings.Cut(b, "/")
	value, known = same(fold(serialA), fold(serialB))
	if value == "" || !sameMaker(makerA, makerB) {
		return "", known
	}
	return min(serialA, serialB), true
}

// sameMaker compares the first words of companies' names, since the rest changes
// with firmware versions: "Dell Inc.", "DELL".
func sameMaker(a, b string) bool {
	a, b = firstWord(a), firstWord(b)
	return a == "" || b == "" || a == b
}

func firstWord(maker string) string {
	word, _, _ := strings.Cut(slug(maker), "-")
	if word == "hewlett" {
		return "hp"
	}
	return word
}

// common is the first of a that is in b as well.
func common(a, b []string) (value string, known bool) {
	for _, s := range a {
		if slices.ContainsFunc(b, func(other string) bool { return fold(s) == fold(other) }) {
			return s, true
		}
	}
	return "", len(a) > 0 && len(b) > 0
}
