package drivers

import (
	"path"
	"strings"
	"unicode"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// fits reports whether a set is for a machine with a system; why says what of it
// fitted, for the plan.
func (s *Set) fits(f profile.Facts, t Target) (why string, ok bool) {
	m, sameModel := s.Match, like
	if s.Imported {
		sameModel = sameName
	}
	var reasons []string
	if m.OS != "" {
		if m.OS != t.OS {
			return "", false
		}
		reasons = append(reasons, string(m.OS))
	}
	for _, c := range []struct {
		what     string
		patterns []string
		values   []string
		same     func(pattern, value string) bool
	}{
		{"version", m.Versions, t.Versions, like},
		{"maker", m.Maker, []string{f.Maker}, sameMaker},
		{"model", m.Model, models(f), sameModel},
		{"SKU", m.SKU, []string{f.SKU}, like},
	} {
		if len(c.patterns) == 0 {
			continue
		}
		value, ok := anyOf(c.patterns, c.values, c.same)
		if !ok {
			return "", false
		}
		reasons = append(reasons, c.what+" "+value)
	}
	if len(m.PCI)+len(m.USB) > 0 {
		id := m.device(f.Devices)
		if id == "" {
			return "", false
		}
		reasons = append(reasons, "device "+id)
	}
	if len(reasons) == 0 {
		return "for every machine", true
	}
	return strings.Join(reasons, ", "), true
}

func anyOf(patterns, values []string, same func(pattern, value string) bool) (string, bool) {
	for _, v := range values {
		for _, p := range patterns {
			if v != "" && same(p, v) {
				return v, true
			}
		}
	}
	return "", false
}

// device returns the first device that m names.
func (m Match) device(devices []profile.Device) string {
	for _, d := range devices {
		ids := m.PCI
		if d.Bus == "usb" {
			ids = m.USB
		}
		for _, id := range ids {
			if id == d.ID {
				return id
			}
		}
	}
	return ""
}

// models are the names that a machine's model goes by. Lenovo's model is a type
// number, whose first four characters its driver packs are named for, and the
// version says what is written on the machine.
func models(f profile.Facts) []string {
	all := []string{f.Model, f.Version}
	if maker(f.Maker) == "lenovo" && len(f.Model) > 4 {
		all = append(all, f.Model[:4])
	}
	return all
}

// like matches a shell pattern without regard to case and spaces at the ends.
func like(pattern, value string) bool {
	pattern, value = strings.ToLower(strings.TrimSpace(pattern)), strings.ToLower(strings.TrimSpace(value))
	// path.Match stops a * at a slash, which in these names is a character as any.
	pattern, value = strings.ReplaceAll(pattern, "/", "\x00"), strings.ReplaceAll(value, "/", "\x00")
	ok, err := path.Match(pattern, value)
	return ok && err == nil
}

// sameMaker matches as like does, or when both are spellings of one company.
func sameMaker(pattern, value string) bool {
	return like(pattern, value) || maker(pattern) != "" && maker(pattern) == maker(value)
}

// maker is a company's name without what varies from one firmware to the next:
// 'Dell Inc.' is dell, 'Hewlett-Packard' hp.
func maker(name string) string {
	var words []string
	for _, w := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		switch w {
		case "inc", "corp", "corporation", "co", "company", "ltd", "limited", "gmbh", "ag", "llc", "computer", "computers", "electronics", "international", "technology":
			continue
		}
		words = append(words, w)
	}
	plain := strings.Join(words, "")
	switch plain {
	case "hewlettpackard", "hpenterprise", "hewlettpackardenterprise":
		return "hp"
	case "asustek":
		return "asus"
	case "microstar":
		return "msi"
	}
	return plain
}

// sameName compares the name of a folder with one that firmware gives: folders
// cannot hold all characters, and lose a full stop at the end.
func sameName(folder, name string) bool {
	letters := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToLower(r)
			}
			return -1
		}, s)
	}
	return letters(folder) != "" && letters(folder) == letters(name)
}
