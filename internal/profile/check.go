package profile

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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

// form checks a value against the table of keys.
func (c *checker) form(path, wild, value string, _ bool) string {
	if !c.given(path) {
		return value
	}
	rule := ruleOf()[wild]
	secret := strings.HasPrefix(wild, "password.") || wild == "windows.product-key"
	switch {
	case value == "":
		if !rule.empty {
			c.add(path, "is empty: write a value, or leave the key out")
		}
	case utf8.RuneCountInString(value) > rule.most:
		c.add(path, "is too long: at most %d characters", rule.most)
	case !rule.lines && strings.ContainsFunc(value, isBreak):
		c.add(path, "has a line break or another control character in it: write it on one line")
	case rule.lines && strings.Contains(value, "\x00"):
		c.add(path, "has a NUL character in it")
	case rule.enum != nil && !slices.Contains(rule.enum, value):
		c.add(path, "want %s, not %s", either(rule.enum), shown(value))
	case rule.re != nil && !rule.re.MatchString(value) && secret:
		c.add(path, "want %s", rule.want)
	case rule.re != nil && !rule.re.MatchString(value):
		c.add(path, "want %s, not %s", rule.want, shown(value))
	}
	return value
}

// isBreak reports whether r would end a line, or do something to it, in a file or
// on a terminal.
func isBreak(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }

// group checks which keys stand together, and the keys of mappings.
func (c *checker) group(path, wild string, v reflect.Value) {
	if _, given := c.doc.at[path]; !given || c.done[path] {
		return
	}
	if v.Kind() == reflect.Map {
		c.mappingKeys(path, wild, v)
		return
	}
	for _, s := range shapes() {
		if s.path != wild {
			continue
		}
		for _, key := range s.required {
			if _, ok := c.doc.at[join(path, key)]; !ok {
				c.add(path, "has no %s: write one", key)
			}
		}
		if got := c.present(path, v, s.one); len(s.one) > 0 && len(got) == 0 {
			c.add(path, "has neither %s: write one", strings.Join(s.one, " nor "))
		} else if len(got) > 1 {
			c.add(join(path, got[1]), "cannot stand beside %s: leave one of them out", got[0])
		}
		if got := c.present(path, v, s.most); len(got) > 1 {
			c.add(join(path, got[1]), "cannot stand beside %s: leave one of them out", got[0])
		}
	}
}

// present are those of keys that say something. False and an empty list do not.
func (c *checker) present(path string, v reflect.Value, keys []string) (present []string) {
	names := fieldNames(v.Type())
	for _, key := range keys {
		_, given := c.doc.at[join(path, key)]
		f := v.Field(slices.Index(names, key))
		silent := f.Kind() == reflect.Bool && !f.Bool() && !c.done[join(path, key)] || f.Kind() == reflect.Slice && f.Len() == 0
		if given && !silent {
			present = append(present, key)
		}
	}
	return present
}

func (c *checker) mappingKeys(path, wild string, v reflect.Value) {
	form := regexp.MustCompile(`^(?:` + ruleOf()[wild].keys + `)$`)
	for _, k := range v.MapKeys() {
		if key := k.String(); !form.MatchString(key) {
			c.add(join(path, key), "bad key: want %s", ruleOf()[wild].want)
		}
	}
}

// either is "a, b or c".
func either(words []string) string {
	last := len(words) - 1
	if last == 0 {
		return words[0]
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
