// Package shellvar edits files of shell assignments: os-release, locale.conf,
// /etc/default/*, vconsole.conf.
//
// It owns finding the assignment that counts, its quoting, and changing it without
// touching anything else. It expands nothing: "$x" in a value is these two
// characters. Start at Get, Set and AddWords.
package shellvar

import (
	"regexp"
	"slices"
	"strings"
)

// assignment begins a line that sets a variable.
var assignment = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=`)

// plain values need no quotes, in a shell and wherever else such files are read.
var plain = regexp.MustCompile(`^[A-Za-z0-9_./@,:+-]+$`)

// A place is where an assignment lies in its text.
type place struct {
	name       string
	line       int // its line's first byte
	value, end int // the value's first byte, and the byte after it
}

// assignments returns every assignment. Values may reach over lines in quotes.
func assignments(text string) []place {
	var found []place
	for at := 0; at < len(text); {
		end := lineEnd(text, at)
		if m := assignment.FindStringSubmatchIndex(text[at:end]); m != nil {
			p := place{name: text[at+m[2] : at+m[3]], line: at, value: at + m[1]}
			p.end = p.value + rawLength(text[p.value:])
			found = append(found, p)
			end = lineEnd(text, p.end)
		}
		at = end + 1
	}
	return found
}

// last returns the assignment of name that counts.
func last(text, name string) (place, bool) {
	var found place
	for _, p := range assignments(text) {
		if p.name == name {
			found = p
		}
	}
	return found, found.name != ""
}

func lineEnd(text string, at int) int {
	if i := strings.IndexByte(text[at:], '\n'); i >= 0 {
		return at + i
	}
	return len(text)
}

// rawLength is how far a value reaches: to the first blank, line end or operator
// that is not quoted.
func rawLength(s string) int {
	var quote byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quote != '\'':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case strings.IndexByte(" \t\n;&|()<>", c) >= 0:
			return i
		}
	}
	return len(s)
}

// unquote is the value as a shell sees it, but that nothing is expanded.
func unquote(raw string) string {
	var out strings.Builder
	var quote byte
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '\\' && quote != '\'' && i+1 < len(raw):
			i++
			if quote == '"' && strings.IndexByte("\"\\$`\n", raw[i]) < 0 {
				out.WriteByte('\\')
			}
			if raw[i] != '\n' {
				out.WriteByte(raw[i])
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		default:
			out.WriteByte(c)
		}
	}
	return out.String()
}

// Quote is value in double quotes.
func Quote(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(value) + `"`
}

// Get returns the value of the last assignment of name.
func Get(text []byte, name string) (string, bool) {
	s := string(text)
	p, ok := last(s, name)
	return unquote(s[p.value:p.end]), ok
}

// Set returns text with name set to value: where it is set now, or on a new line
// at the end. A value is a single line; what follows a line break is dropped.
func Set(text []byte, name, value string) []byte {
	value, _, _ = strings.Cut(value, "\n")
	s := string(text)
	p, ok := last(s, name)
	if !ok {
		if !plain.MatchString(value) {
			value = Quote(value)
		}
		return []byte(ended(s) + name + "=" + value + "\n")
	}
	if raw := s[p.value:p.end]; unquote(raw) == value {
		return text
	} else if strings.ContainsAny(raw, `"'`) || !plain.MatchString(value) {
		value = Quote(value)
	}
	return []byte(s[:p.value] + value + s[p.end:])
}

// Unset returns text without the lines that set the variables which drop names.
func Unset(text []byte, drop func(name string) bool) []byte {
	s := string(text)
	var out strings.Builder
	done := 0
	for _, p := range assignments(s) {
		if drop(p.name) {
			out.WriteString(s[done:p.line])
			done = min(lineEnd(s, p.end)+1, len(s))
		}
	}
	return []byte(out.String() + s[done:])
}

// AddWords returns text with words at the end of the list that name holds, but
// for those that are in it. Words are of [A-Za-z0-9_.,:=/@%+~^!-].
func AddWords(text []byte, name string, words []string) []byte {
	s := string(text)
	p, ok := last(s, name)
	if !ok {
		return []byte(ended(s) + name + "=" + Quote(strings.Join(words, " ")) + "\n")
	}
	raw := s[p.value:p.end]
	there := strings.Fields(unquote(raw))
	words = slices.DeleteFunc(slices.Clone(words), func(w string) bool { return slices.Contains(there, w) })
	if len(words) == 0 {
		return text
	}
	list := strings.Join(words, " ")
	if len(there) > 0 {
		list = " " + list
	}
	end := len(raw) - 1
	switch {
	case end > 0 && strings.IndexByte(`"'`, raw[0]) >= 0 && strings.IndexByte(raw[1:], raw[0]) == end-1 && raw[end-1] != '\\':
		raw = raw[:end] + list + raw[end:] // one quoted piece
	default:
		raw += Quote(list) // pieces side by side are one word to a shell
	}
	return []byte(s[:p.value] + raw + s[p.end:])
}

// ended is s with a line end, unless it is empty.
func ended(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		return s + "\n"
	}
	return s
}
