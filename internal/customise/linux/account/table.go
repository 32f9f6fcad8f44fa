// Package account edits the text of passwd, shadow, group, gshadow, subuid and
// subgid.
//
// It owns their lines: who is in them, which numbers are free, what a change of
// one account does to each file. It takes bytes and gives bytes; it opens nothing
// and knows no locks, since nobody uses the system that is edited. It refuses
// values that would make another line or field, and leaves every line that it
// does not have to change as it is, byte by byte. Start at Parse and DB.
package account

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Table is a file of lines whose fields are separated by colons. The first field
// of a line is its name.
type Table struct {
	name   string
	fields int // of a line
	lines  []string
}

// The files, by how many fields their lines have: passwd(5), shadow(5), group(5),
// gshadow(5), subuid(5).
const (
	PasswdFields  = 7
	ShadowFields  = 9
	GroupFields   = 4
	GShadowFields = 4
	SubIDFields   = 3
)

// Parse splits a file. name is for messages.
func Parse(name string, text []byte, fields int) (*Table, error) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return nil, fmt.Errorf("%s holds a zero byte at %d: it is no text", name, i)
	}
	t := &Table{name: name, fields: fields}
	if len(text) > 0 {
		t.lines = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	return t, nil
}

// Bytes is the file with what was changed.
func (t *Table) Bytes() []byte {
	if len(t.lines) == 0 {
		return nil
	}
	return []byte(strings.Join(t.lines, "\n") + "\n")
}

// Get returns the fields of a name's line, nil when it has none. A line that has
// not as many fields as it should is an error: who writes a second one for the
// same name makes an account that works now and then.
func (t *Table) Get(name string) ([]string, error) {
	i, fields := t.find(name)
	if i >= 0 && len(fields) != t.fields {
		return nil, fmt.Errorf("%s: line %d, of %q, has %d fields and not %d", t.name, i+1, name, len(fields), t.fields)
	}
	return fields, nil
}

// find returns the place of a name's first line and its fields; -1 for none.
func (t *Table) find(name string) (int, []string) {
	for i, line := range t.lines {
		if strings.HasPrefix(line, name) && strings.HasPrefix(line[len(name):], ":") {
			return i, strings.Split(line, ":")
		}
	}
	return -1, nil
}

// All returns the fields of every complete line.
func (t *Table) All() [][]string {
	var all [][]string
	for _, line := range t.lines {
		if f := strings.Split(line, ":"); len(f) == t.fields && !special(line) {
			all = append(all, f)
		}
	}
	return all
}

// special lines are comments and the entries of NIS, which are no accounts.
func special(line string) bool {
	return line == "" || strings.ContainsRune("#+-", rune(line[0]))
}

// Set replaces the line of fields[0], or adds one: at the end, but before what
// NIS adds.
func (t *Table) Set(fields []string) error {
	if len(fields) != t.fields || fields[0] == "" || special(fields[0]) {
		return fmt.Errorf("%s: %q makes no line", t.name, fields)
	}
	for _, f := range fields {
		if strings.ContainsFunc(f, func(r rune) bool { return r == ':' || r < ' ' || r == 0x7f }) {
			return fmt.Errorf("%s: a value of %s has a colon or a control character in it", t.name, fields[0])
		}
	}
	line := strings.Join(fields, ":")
	if i, _ := t.find(fields[0]); i >= 0 {
		t.lines[i] = line
		return nil
	}
	at := slices.IndexFunc(t.lines, func(l string) bool { return l != "" && strings.ContainsRune("+-", rune(l[0])) })
	if at < 0 {
		at = len(t.lines)
	}
	t.lines = slices.Insert(t.lines, at, line)
	return nil
}
