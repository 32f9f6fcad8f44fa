package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// picture lays a frame out in lines of fewer than width cells, at most height of
// them: one for the whole, one for what became of the bytes, one for each stage.
//
//	capture  [#######-------]  38 %  12.3 GiB of 32.4 GiB  512.0 MiB/s, 40 s left
//	  9.1 GiB new, 3.2 GiB in the store already; 4.0 GiB stored (3.1 : 1)
//	  partition 1, fat32 "EFI"   done     6.1 MiB
//	  partition 2, ext4 "root"   38 %     12.3 GiB of 32.3 GiB
func picture(f frame, width, height int) []string {
	lines := []string{headline(f, width)}
	if f.facts != "" {
		lines = append(lines, "  "+f.facts)
	}
	lines = append(lines, stageLines(f.stages, width, height-len(lines))...)
	for i := range lines {
		lines[i] = cut(lines[i], width-1) // the last cell would make some terminals wrap
	}
	return lines[:min(len(lines), max(1, height))]
}

// headline is the whole in one line, with a bar in the room that is left.
func headline(f frame, width int) string {
	whole := fmt.Sprintf("%3d %%  %s", percent(f.done, f.total), part(f.done, f.total, f.unit))
	if speed := f.speed(); speed != "" {
		whole += "  " + speed
	}
	const least, most = 10, 30
	room := min(width-1-len(f.verb)-len(whole)-5, most)
	if room < least {
		return f.verb + " " + whole
	}
	filled := room * percent(f.done, f.total) / 100
	return fmt.Sprintf("%s  [%s%s] %s", f.verb, strings.Repeat("#", filled), strings.Repeat("-", room-filled), whole)
}

// stageLines shows at most room stages, those at work first to stay.
func stageLines(all []stage, width, room int) []string {
	shown := slices.DeleteFunc(slices.Clone(all), func(s stage) bool { return s.minor })
	hidden := ""
	if len(shown) > room {
		shown, hidden = watched(shown, room-1)
	}
	column := 0
	for _, s := range shown {
		column = max(column, cells(s.name))
	}
	column = min(column, max(12, width-36))
	var lines []string
	for _, s := range shown {
		size := amount(s.total, s.unit)
		if s.done > 0 && s.done < s.total {
			size = part(s.done, s.total, s.unit)
		}
		name := cut(s.name, column)
		lines = append(lines, fmt.Sprintf("  %s%s  %-7s  %s", name, strings.Repeat(" ", column-cells(name)), s.state(), size))
	}
	if hidden != "" {
		lines = append(lines, "  "+hidden)
	}
	return lines
}

// watched picks room stages, in their order: those at work, then those that
// wait, then those that are done; and says what it left out.
func watched(all []stage, room int) (picked []stage, hidden string) {
	rank := func(s stage) int {
		switch s.state() {
		case "done":
			return 2
		case "waiting":
			return 1
		}
		return 0
	}
	order := make([]int, len(all))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rank(all[a]), rank(all[b])) })
	order = order[:max(0, room)]
	slices.Sort(order)
	for _, i := range order {
		picked = append(picked, all[i])
	}
	return picked, fmt.Sprintf("and %d more", len(all)-len(picked))
}

// cut shortens s to at most n cells.
func cut(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	at := 0
	for i, r := range s {
		if at += cell(r); at > n-1 {
			return s[:i] + "~"
		}
	}
	return s
}

// cells is how many columns of a terminal s takes, or more: too short a line does
// no harm, one that wraps ruins the picture.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += cell(r)
	}
	return n
}

func cell(r rune) int {
	const firstWide = 0x1100 // Hangul; every wide character lies behind it
	if r < firstWide {
		return 1
	}
	return 2
}
