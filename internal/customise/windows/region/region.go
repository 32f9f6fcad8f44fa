// Package region knows what time zones, languages and keyboards are called on
// Windows.
//
// It owns the tables. It refuses names that are in none of them, since a guess
// would leave a machine at a wrong hour or with a wrong keyboard.
package region

import (
	_ "embed"
	"iter"
	"slices"
	"strings"
)

// zoneTable has a line for each zone of Windows: its name, a tab, the IANA names
// that it stands for. Source: windowsZones of CLDR 41 with the aliases of its
// bcp47/timezone, and what the tz database moved or named since.
//
//go:embed zones.txt
var zoneTable string

// localeTable has a line for each locale: as POSIX writes it, as Windows does, its
// LCID, and its usual keyboard, '-' where that is an input method. Source:
// "Windows Language Code Identifier (LCID) Reference" [MS-LCID] and "Default
// input profiles" by Microsoft.
//
//go:embed locales.txt
var localeTable string

// keyboardTable has a line for each keyboard: its XKB layout and variant, and the
// identifier on Windows. Source: "Keyboard identifiers and input method editors"
// by Microsoft.
//
//go:embed keyboards.txt
var keyboardTable string

// Zone is the name on Windows of a time zone of IANA, as in Europe/Berlin.
func Zone(iana string) (string, bool) {
	for zone, names := range lines(zoneTable, "\t") {
		if slices.Contains(strings.Fields(names), iana) {
			return zone, true
		}
	}
	return "", false
}

// IsZone reports whether Windows knows a time zone of that name.
func IsZone(name string) bool {
	for zone := range lines(zoneTable, "\t") {
		if zone == name {
			return true
		}
	}
	return false
}

// Locale is a language with a country.
type Locale struct {
	Tag      string // "de-DE"
	LCID     string // four hex digits
	Keyboard string // eight hex digits; "": it needs an input method
}

// LocaleOf finds a locale of POSIX: language_COUNTRY, with or without an encoding,
// as in de_DE.UTF-8, and a modifier.
func LocaleOf(posix string) (Locale, bool) {
	base, modifier, _ := strings.Cut(posix, "@")
	base, _, _ = strings.Cut(base, ".")
	if modifier == "latin" {
		base += "@latin"
	}
	for name, rest := range lines(localeTable, " ") {
		if name == base {
			f := strings.Fields(rest)
			return Locale{f[0], f[1], strings.Trim(f[2], "-")}, true
		}
	}
	return Locale{}, false
}

// KeyboardOf finds an XKB layout, as in de or us(intl). Where only its variant is
// not known, the layout itself is taken, and exact is false.
func KeyboardOf(xkb string) (id string, exact, ok bool) {
	layout, _, _ := strings.Cut(xkb, "(")
	for name, found := range lines(keyboardTable, " ") {
		if name == xkb {
			return found, true, true
		}
		if name == layout {
			id, ok = found, true
		}
	}
	return id, false, ok
}

// lines are those of a table, each cut at its first separator.
func lines(table, separator string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for line := range strings.Lines(table) {
			first, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), separator)
			if !yield(first, rest) {
				return
			}
		}
	}
}
