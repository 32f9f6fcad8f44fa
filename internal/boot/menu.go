package boot

import (
	"cmp"
	"slices"
	"strings"
)

// menu is what a GRUB configuration, or a folder of Boot Loader Specification
// entries, says that a check can use. It is read line by line: conditions are
// not followed, so that both branches of each are there.
type menu struct {
	searches []search
	kernels  []kernel // in the order of the menu; the first is the usual default
	entries  bool     // it takes its entries from files: 'blscfg'
}

// search is a volume that GRUB looks for.
type search struct {
	spec  string // "UUID=..." or "LABEL=..."
	entry int    // kernels listed before it; 0: it matters for the first
}

// kernel is what one entry starts.
type kernel struct {
	title   string
	file    string // on the volume that GRUB calls root
	args    []string
	initrds []string
}

// maxMenu bounds what is taken of a menu.
const maxMenu = 256

// parseGRUB reads a grub.cfg.
func parseGRUB(text string) menu {
	var m menu
	title := ""
	for line := range strings.Lines(text) {
		w := words(line)
		if len(w) == 0 || len(m.kernels) >= maxMenu || len(m.searches) >= maxMenu {
			continue
		}
		switch command, args := w[0], w[1:]; command {
		case "menuentry", "submenu":
			title = first(args)
		case "search", "search.fs_uuid", "search.fs_label":
			if spec := searched(command, args); spec != "" {
				m.searches = append(m.searches, search{spec, len(m.kernels)})
			}
		case "linux", "linux16", "linuxefi":
			if len(args) > 0 {
				m.kernels = append(m.kernels, kernel{title: title, file: args[0], args: args[1:]})
			}
		case "initrd", "initrd16", "initrdefi":
			if n := len(m.kernels); n > 0 {
				m.kernels[n-1].initrds = append(m.kernels[n-1].initrds, args...)
			}
		case "blscfg":
			m.entries = true
		}
	}
	return m
}

// searched is what a search command looks for, "" when it is a file.
func searched(command string, args []string) string {
	tag := map[string]string{"search.fs_uuid": "UUID", "search.fs_label": "LABEL"}[command]
	value := ""
	for _, a := range args {
		switch {
		case a == "--fs-uuid" || a == "-u":
			tag = "UUID"
		case a == "--label" || a == "-l" || a == "--fs-label":
			tag = "LABEL"
		case a == "--file" || a == "-f":
			return ""
		case !strings.HasPrefix(a, "-") && value == "":
			value = a
		case command == "search" && !strings.HasPrefix(a, "-"):
			value = a // an option had a value of its own
		}
	}
	if tag == "" || value == "" || strings.Contains(value, "$") {
		return ""
	}
	return tag + "=" + value
}

// parseEntry reads an entry file (Boot Loader Specification, type 1).
func parseEntry(text string) kernel {
	var k kernel
	for line := range strings.Lines(text) {
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		switch w[0] {
		case "title":
			k.title = strings.Join(w[1:], " ")
		case "linux", "efi", "uki":
			k.file = w[1]
		case "initrd":
			k.initrds = append(k.initrds, w[1:]...)
		case "options":
			k.args = append(k.args, w[1:]...)
		}
	}
	return k
}

// words splits a line as GRUB's shell does, without looking into variables. A
// comment ends it.
func words(line string) []string {
	var all []string
	var word strings.Builder
	quote, inside := rune(0), false
	flush := func() {
		if inside {
			all = append(all, word.String())
		}
		word.Reset()
		inside = false
	}
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inside = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == '#' && !inside:
			return all
		case slices.Contains([]rune(" \t\r\n;{}"), r):
			flush()
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	flush()
	return all
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}

// compareVersions orders names so that 6.9 comes before 6.10.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		x, restA := leading(a)
		y, restB := leading(b)
		if isDigit(x[0]) && isDigit(y[0]) {
			x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
			if c := cmp.Compare(len(x), len(y)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	return cmp.Compare(len(a), len(b))
}

// leading cuts off the digits that s, which is not empty, begins with, or the one
// other character.
func leading(s string) (part, rest string) {
	if rest := strings.TrimLeft(s, "0123456789"); len(rest) < len(s) {
		return s[:len(s)-len(rest)], rest
	}
	return s[:1], s[1:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
