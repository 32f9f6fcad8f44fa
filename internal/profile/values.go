package profile

import (
	"slices"
	"strconv"
	"strings"
)

// values are what placeholders stand for on one machine.
type values struct {
	doc   *Document
	facts Facts
	row   int // of the machines' table, -1 for none
	over  Overrides
	name  string // the host name, once it is known
	// unsure is set when a fact of the machine was asked for that is not known.
	unsure bool
}

// values collects what is known of the machine f.
func (c *checker) values(f Facts, o Overrides) *values {
	row, err := c.doc.machines.find(f)
	if err != nil {
		c.add("machines", "%v", err)
	}
	for name := range o.Values {
		if _, own := c.doc.Profile.Values[name]; !own && !c.doc.machines.has(name) {
			c.addAt(c.doc.Name, place{}, "", "the value %s is given, but neither values nor machines has a placeholder of that name", shown(name))
		}
	}
	return &values{doc: c.doc, facts: f, row: row, over: o}
}

// of is what the placeholder name stands for, "" where that is not known. The
// command line comes before the machine, the machine before its row in the table,
// and the row before the profile's values.
func (v *values) of(name string) string {
	value := v.over.Values[name]
	if value == "" {
		value = v.fact(name)
	}
	if value == "" && name != nameColumn {
		value = v.doc.machines.cell(v.row, name)
		if name == "mac" {
			value = folded(name, value)
		}
	}
	if value = clean(value); value != "" {
		return value
	}
	v.unsure = v.unsure || slices.Contains(builtin(), name)
	return clean(v.doc.Profile.Values[name])
}

// fact is a fact of the machine. A MAC address is given without separators, so that
// slices of it are digits.
func (v *values) fact(name string) string {
	f := v.facts
	switch name {
	case "serial":
		return f.Serial
	case "asset":
		return f.Asset
	case "model":
		return f.Model
	case "maker":
		return f.Maker
	case "sku":
		return f.SKU
	case "uuid":
		return strings.ToLower(f.UUID)
	case "board":
		return f.Board
	case "mac":
		if len(f.MACs) > 0 {
			return folded("mac", f.MACs[0])
		}
	case "name":
		return v.name
	case counter:
		if v.over.Counter > 0 {
			return strconv.Itoa(v.over.Counter)
		}
	}
	return ""
}

// hostname is the host name of the machine, "" if it keeps the image's.
func (c *checker) hostname(v *values) string {
	name, from, at := v.over.Hostname, c.doc.Name, place{}
	if name == "" && v.row >= 0 {
		name = c.doc.machines.cell(v.row, nameColumn)
		from, at = c.doc.machines.file, place{c.doc.machines.rows[v.row].line, 1}
	}
	if name == "" && c.given("name") {
		parsed, err := parsePattern(c.doc.Profile.Name, c.doc.known("name"))
		if err == nil {
			name, err = parsed.expand(func(n string) string { return ofHostname(v.of(n)) }, MaxSize)
		}
		if err != nil {
			c.add("name", "%v%s", err, c.missingRow(v))
			return ""
		}
		from, at = c.doc.Name, c.doc.place("name")
	}
	if name == "" && v.over.Hostname == "" && !c.given("name") {
		return ""
	}
	if problem := hostnameProblem(name, c.os); problem != "" {
		c.addAt(from, at, "name", "%s", problem)
		return ""
	}
	return name
}

// expand is value with the machine's values in it.
func (c *checker) expand(path, value string, v *values) string {
	parsed, err := parsePattern(value, c.doc.known(path))
	if err == nil {
		value, err = parsed.expand(v.of, MaxSize)
	}
	if err != nil {
		c.add(path, "%v%s", err, c.missingRow(v))
	}
	return value
}

// missingRow adds to a message why values of the table may be missing.
func (c *checker) missingRow(v *values) string {
	if v.row >= 0 || c.doc.machines == nil {
		return ""
	}
	return "; no line of " + c.doc.machines.file + " is this machine's"
}

// machines checks the host names that the table gives, as far as they follow from
// the table alone.
func (c *checker) machines() {
	t := c.doc.machines
	if t == nil || len(c.problems) > 0 {
		return
	}
	first := map[string]int{}
	for i, r := range t.rows {
		name := t.nameOf(c.doc, i)
		if name == "" {
			continue
		}
		if problem := hostnameProblem(name, c.os); problem != "" {
			c.addAt(t.file, place{r.line, r.column}, "", "%s", problem)
		}
		key := strings.ToLower(name)
		if before, twice := first[key]; twice {
			c.addAt(t.file, place{r.line, r.column}, "", "the host name %s is that of line %d already", shown(name), t.rows[before].line)
			continue
		}
		first[key] = i
	}
}

// nameOf is the host name of row i's machine, "" if the row does not say it.
func (t *table) nameOf(d *Document, i int) string {
	if name := t.cell(i, nameColumn); name != "" || d.Profile.Name == "" {
		return name
	}
	parsed, err := parsePattern(d.Profile.Name, d.known("name"))
	v := &values{doc: d, row: i}
	if err != nil {
		return ""
	}
	name, err := parsed.expand(func(n string) string { return ofHostname(v.of(n)) }, MaxSize)
	if err != nil || v.unsure {
		return ""
	}
	return name
}
