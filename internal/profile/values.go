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
	if v.row >= 0 || c.doc.machines == nil || c.done["machines"] {
		return ""
	}
	return "; no line of " + c.doc.machines.file + " is this machine's"
}
