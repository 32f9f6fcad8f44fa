package drivers

import "strings"

// document is an INF file. Most of its sections are never asked for, and only
// those that are get taken apart.
type document struct {
	sections map[string][]string // by name in lower case, as they stand in the file; those of the same name count as one
	strings  map[string]string   // what %names% stand for, names in lower case
}

// entry is a line 'key = text', or one with a text alone. Comments and
// continuations are resolved, quotes are still there.
type entry struct{ key, text string }

// maxString bounds the value of a string, bytes, since each use of it repeats it.
const maxString = 4096

func parseDocument(text string) document {
	d := document{map[string][]string{}, map[string]string{}}
	name, from, at := "", 0, 0
	for line := range strings.Lines(text) {
		start := strings.TrimLeft(line, " \t")
		if strings.HasPrefix(start, "[") {
			d.sections[name] = append(d.sections[name], text[from:at])
			head, _, _ := strings.Cut(start[1:], "]")
			name, from = strings.ToLower(unquote(head)), at+len(line)
		}
		at += len(line)
	}
	d.sections[name] = append(d.sections[name], text[from:])
	for _, section := range []string{"strings.0409", "strings"} { // English where there is nothing else
		for _, e := range d.entries(section) {
			if value := unquote(e.text); len(value) <= maxString {
				d.strings[strings.ToLower(unquote(e.key))] = value
			}
		}
	}
	return d
}

// entries returns the lines of a section, whose name is in lower case.
func (d document) entries(section string) []entry {
	var all []entry
	for _, text := range d.sections[section] {
		var joined []byte
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(stripComment(line))
			if head, ok := strings.CutSuffix(line, `\`); ok {
				joined = append(joined, head...)
				continue
			}
			if len(joined) > 0 {
				line, joined = string(joined)+line, joined[:0]
			}
			if strings.Trim(line, "\x00\x1a") != "" {
				all = append(all, splitEntry(line))
			}
		}
	}
	return all
}

// value returns the text of the first line of a section with the key; both are in
// lower case.
func (d document) value(section, key string) string {
	for _, e := range d.entries(section) {
		if strings.EqualFold(unquote(e.key), key) {
			return d.expand(e.text)
		}
	}
	return ""
}

// stripComment cuts a line before a semicolon that is not in quotes.
func stripComment(line string) string {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return line[:i]
			}
		}
	}
	return line
}

func splitEntry(line string) entry {
	quoted := false
	for i := range len(line) {
		switch line[i] {
		case '"':
			quoted = !quoted
		case '=':
			if !quoted {
				return entry{strings.TrimSpace(line[:i]), strings.TrimSpace(line[i+1:])}
			}
		}
	}
	return entry{text: line}
}

// splitFields splits at commas that are not in quotes; there is at least one field.
func splitFields(text string) []string {
	var fields []string
	quoted, from := false, 0
	for i := range len(text) {
		switch text[i] {
		case '"':
			quoted = !quoted
		case ',':
			if !quoted {
				fields = append(fields, strings.TrimSpace(text[from:i]))
				from = i + 1
			}
		}
	}
	return append(fields, strings.TrimSpace(text[from:]))
}

// unquote takes the quotes off; two inside are one.
func unquote(s string) string {
	s = strings.TrimSpace(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = strings.ReplaceAll(s[1:len(s)-1], `""`, `"`)
	}
	return strings.TrimSpace(s)
}

// expand takes the quotes off and puts strings in the place of their %names%. A
// name that is not known stays; %% is a percent sign.
func (d document) expand(text string) string {
	text = unquote(text)
	if !strings.Contains(text, "%") {
		return text
	}
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "%")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "%")
		if !ok {
			return b.String()
		}
		if !closed {
			return b.String() + "%" + rest
		}
		switch value, known := d.strings[strings.ToLower(name)]; {
		case name == "":
			b.WriteByte('%')
		case known:
			b.WriteString(value)
		default:
			b.WriteString("%" + name + "%")
		}
		text = after
	}
}
