package profile

import (
	"fmt"
	"slices"
	"strings"
)

// OS is the kind of system that a profile is for.
type OS string

const (
	AnyOS     OS = "" // not known yet: what is right on one of them is right
	OSLinux   OS = "linux"
	OSWindows OS = "windows"
)

// A checker collects what is wrong with one Profile: once as it stands in the file,
// and again for each machine, with its patterns expanded.
type checker struct {
	doc      *Document
	os       OS
	whom     string // the machine that is spoken of, "" for any
	problems []Problem
	done     map[string]bool // paths of which nothing more can be said: mistaken, or with placeholders
	warnings []string
}

func (d *Document) checker(problems []Problem, os OS) *checker {
	c := &checker{doc: d, os: os, problems: problems, done: map[string]bool{}}
	for _, p := range problems {
		c.done[p.Path] = true
	}
	return c
}

// add reports a mistake at path.
func (c *checker) add(path, format string, args ...any) {
	c.done[path] = true
	c.addAt(c.doc.Name, c.doc.place(path), path, format, args...)
}

// addAt reports a mistake that stands in another file, or nowhere.
func (c *checker) addAt(file string, at place, path, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if c.whom != "" {
		message = "for " + c.whom + ": " + message
	}
	c.problems = append(c.problems, Problem{file, at.line, at.column, path, message})
}

func (c *checker) warn(path, format string, args ...any) {
	at := c.doc.place(path)
	c.warnings = append(c.warnings, Problem{c.doc.Name, at.line, at.column, path, fmt.Sprintf(format, args...)}.String())
}

// place is where path stands, or where the nearest of its parents does.
func (d *Document) place(path string) place {
	for {
		if at, ok := d.at[path]; ok || path == "" {
			return at
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
}

// given reports whether path stands in the file and can be looked at.
func (c *checker) given(path string) bool {
	_, ok := c.doc.at[path]
	return ok && !c.done[path]
}

// open takes the patterns of p for what they are: text that has no placeholders is
// looked at now, the rest when the machine is known.
func (c *checker) open(p *Profile) {
	p.walk(visitor{text: func(path, _, value string, pattern bool) string {
		if !pattern || !c.given(path) {
			return value
		}
		parsed, err := parsePattern(value, c.doc.known(path))
		if err != nil {
			c.add(path, "%v", err)
			return value
		}
		if path == "name" {
			c.nameLiteral(parsed)
		}
		if parsed.open() {
			c.done[path] = true
			return value
		}
		return parsed.literal()
	}})
}

// known says which placeholders may stand at path.
func (d *Document) known(path string) func(string) bool {
	return func(name string) bool {
		if name == "name" && path == "name" {
			return false // it would stand for itself
		}
		if _, ok := d.Profile.Values[name]; ok {
			return true
		}
		return slices.Contains(builtin(), name) || d.machines.has(name)
	}
}

// profile checks p, whose patterns are expanded or known to be open.
func (c *checker) profile(p *Profile) {
	p.walk(visitor{text: c.form, group: c.group})
	c.passwords(p)
	c.system(p)
	c.users(p)
	c.network(p)
	c.files(p)
	c.scripts(p)
	c.linux(p)
	c.windows(p)
}
