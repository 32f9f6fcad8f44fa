package profile

import (
	"strings"
)

// Names are the host names of several machines, "" where the image's is kept. Two
// that are the same are an *Error, as is one that cannot be. The first machine's
// {n} is first; 0: there is none.
func (d *Document) Names(machines []Facts, os OS, first int) ([]string, error) {
	names, seen := make([]string, len(machines)), map[string]int{}
	var problems []Problem
	for i, f := range machines {
		c := d.checker(nil, os)
		c.whom = f.String()
		o := Overrides{}
		if first > 0 {
			o.Counter = first + i
		}
		names[i] = c.hostname(c.values(f, o))
		key := strings.ToLower(names[i])
		if j, twice := seen[key]; twice && key != "" {
			c.add("name", "the host name %s is that of %v as well: put something into the pattern that differs, such as {serial}", shown(names[i]), machines[j])
		}
		seen[key] = i
		problems = append(problems, c.problems...)
	}
	return names, failure(d.Name, problems)
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
