package profile

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

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
