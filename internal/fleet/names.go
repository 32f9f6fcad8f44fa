package fleet

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/ingot-imaging/ingot/internal/wire"
)

// maxLabel is the length of a DNS label, RFC 1035 section 2.3.4.
const maxLabel = 63

// Text returns s as it may be kept and shown: valid UTF-8 of at most most
// characters, on one line, without control characters, and without the invisible
// ones that turn text around or make two names look the same.
func Text(s string, most int) string {
	var b strings.Builder
	n, blank := 0, false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			blank = n > 0
			continue
		case r == utf8.RuneError, unicode.In(r, unicode.C):
			continue
		}
		if n += 1; blank {
			n++
		}
		if n > most {
			break
		}
		if blank {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		blank = false
	}
	return b.String()
}

// DefaultName is a name for a machine that nobody named: its model and serial
// number as a DNS label, "optiplex-7090-5xk2r93". Others may have the same:
// UniqueName.
func DefaultName(inv wire.Inventory) string {
	inv = Clean(inv)
	const model, serial = 38, 20 // characters; together with a number they fit a label
	parts := []string{begin(slug(modelName(inv)), model)}
	switch id := IdentityOf(inv); {
	case id.Serial != "":
		s := slug(inv.Serial)
		parts = append(parts, strings.Trim(s[max(0, len(s)-serial):], "-"))
	case len(id.MACs) > 0:
		parts = append(parts, slug(strings.ReplaceAll(id.MACs[0], ":", ""))[6:])
	case id.UUID != "":
		parts = append(parts, id.UUID[:8])
	}
	name := strings.Trim(strings.Join(parts, "-"), "-")
	if name == "" {
		return "machine"
	}
	return name
}

// modelName is what people call the model. Lenovo has a number as model and the
// name as version; others begin the model with their own name.
func modelName(inv wire.Inventory) string {
	if strings.EqualFold(inv.Maker, "lenovo") && inv.Version != "" {
		return inv.Version
	}
	maker, _, _ := strings.Cut(inv.Maker, " ")
	if len(inv.Model) > len(maker)+1 && strings.EqualFold(inv.Model[:len(maker)], maker) && inv.Model[len(maker)] == ' ' {
		return inv.Model[len(maker):]
	}
	return inv.Model
}

// slug is s in small letters, digits and single hyphens.
func slug(s string) string {
	var b strings.Builder
	hyphen := false
	for _, r := range strings.ToLower(s) {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') {
			hyphen = b.Len() > 0
			continue
		}
		if hyphen {
			b.WriteByte('-')
		}
		b.WriteRune(r)
		hyphen = false
	}
	return b.String()
}

// begin is the beginning of a slug, cut between words where that leaves a half.
func begin(s string, most int) string {
	if len(s) <= most {
		return s
	}
	s = s[:most]
	if i := strings.LastIndexByte(s, '-'); i >= most/2 {
		s = s[:i]
	}
	return strings.TrimRight(s, "-")
}

// UniqueName is name, or name with the first number from 2 on that nobody has.
func UniqueName(name string, taken func(name string) bool) string {
	unique := name
	for n := 2; taken(unique); n++ {
		end := fmt.Sprintf("-%d", n)
		unique = begin(name, maxLabel-len(end)) + end
	}
	return unique
}

// MaxName is how many characters a name of a machine, group or rule may have.
const MaxName = maxLabel

// NameProblem says what is wrong with a name that somebody gives to a machine,
// group or rule, "" for nothing.
func NameProblem(name string) string {
	switch {
	case name == "":
		return "a name is missing"
	case utf8.RuneCountInString(name) > MaxName:
		return fmt.Sprintf("a name has at most %d characters", MaxName)
	case name != Text(name, MaxName):
		return "a name has no control characters, no invisible ones, and no blanks at its ends or two in a row"
	case strings.ContainsAny(name, `/\,;"`):
		return `a name has no / \ , ; or "`
	}
	return ""
}

// HostnameProblem says what is wrong with a host name, "" for nothing (RFC 1123,
// section 2.1). That Windows takes 15 characters only, a profile checks.
func HostnameProblem(name string) string {
	switch {
	case name == "":
		return "a host name is missing"
	case len(name) > maxLabel:
		return fmt.Sprintf("a host name has at most %d characters", maxLabel)
	case strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return "a host name has only letters a to z, digits and hyphens; a domain does not belong to it"
	case name[0] == '-' || name[len(name)-1] == '-':
		return "a host name does not begin or end with a hyphen"
	case strings.Trim(name, "0123456789") == "":
		return "a host name needs a letter"
	case strings.EqualFold(name, "localhost"):
		return "localhost stands for every machine: choose another host name"
	}
	return ""
}
