package profile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings are what a profile means for one machine: patterns are expanded, files
// named by absolute paths of this machine, passwords read. They were validated;
// whoever applies them still escapes every value for the place it goes to.
type Settings struct {
	Hostname string // "": left as it is
	Profile         // with every pattern expanded; Name, Machines, Values and Disk mean nothing here
	// Warnings are sentences worth showing before anything is done, with their places.
	Warnings []string
}

// Overrides are what the command line says about one machine.
type Overrides struct {
	Hostname string            // instead of what the profile says
	Counter  int               // {n}; 0: there is none
	Values   map[string]string // of placeholders that the profile's values or machines name
}

// Settings are what d means for the machine that f is known of. What is wrong then
// is an *Error, as in Load.
func (d *Document) Settings(f Facts, os OS, o Overrides) (*Settings, error) {
	c := d.checker(nil, os)
	c.whom = f.String()
	p, _, _ := d.decode()
	v := c.values(f, o)
	s := &Settings{Hostname: c.hostname(v)}
	v.name = s.Hostname
	p.Name = s.Hostname
	p.walk(visitor{text: func(path, _, value string, pattern bool) string {
		if !pattern || path == "name" || !c.given(path) {
			return value
		}
		return c.expand(path, value, v)
	}})
	c.done["name"] = true // looked at by c.hostname
	c.profile(&p)
	c.distinct(&p)
	if err := failure(d.Name, c.problems); err != nil {
		return nil, err
	}
	p.Name, p.Machines, p.Values = "", "", nil
	for i := range p.Files {
		p.Files[i].Expand = false
	}
	for i := range p.Scripts {
		p.Scripts[i].Expand = false
	}
	s.Profile, s.Warnings = p, c.warnings
	return s, nil
}

// distinct: Windows refuses an account with the name of the machine.
func (c *checker) distinct(p *Profile) {
	for i, u := range p.Users {
		if path := fmt.Sprintf("users[%d].name", i); c.os == OSWindows && p.Name != "" && strings.EqualFold(u.Name, p.Name) && c.given(path) {
			c.add(path, "the account %s has the name of the machine, which Windows refuses", shown(u.Name))
		}
	}
}

// Placeholders are the names that may stand in this profile's patterns, sorted.
func (d *Document) Placeholders() []string {
	names := append(builtin(), slices.Collect(maps.Keys(d.Profile.Values))...)
	if d.machines != nil {
		names = append(names, d.machines.header...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Machines is how many machines the profile's table has.
func (d *Document) Machines() int {
	if d.machines == nil {
		return 0
	}
	return len(d.machines.rows)
}
