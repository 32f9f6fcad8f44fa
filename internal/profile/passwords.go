package profile

import (
	"bytes"
	"reflect"
	"strings"
	"unicode/utf8"
)

// passwords reads the password files of p.
func (c *checker) passwords(p *Profile) {
	p.walk(visitor{group: func(path, _ string, v reflect.Value) {
		if pw, ok := v.Addr().Interface().(*Password); ok {
			c.password(path+".file", pw)
		}
	}})
}

// password puts the first line of the file at path into pw.Plain.
func (c *checker) password(path string, pw *Password) {
	data, absolute, info := c.content(path, pw.File, maxPasswordFile)
	if info == nil {
		return
	}
	pw.File = absolute
	line, _, _ := bytes.Cut(bytes.TrimPrefix(data, []byte("\ufeff")), []byte("\n"))
	line = bytes.TrimSuffix(line, []byte("\r"))
	switch {
	case len(line) == 0:
		c.add(path, "the file's first line is empty: it is the password")
	case !utf8.Valid(line) || strings.ContainsFunc(string(line), isBreak):
		c.add(path, "the file's first line is no text of UTF-8")
	case utf8.RuneCount(line) > ruleOf()["password.plain"].most:
		c.add(path, "the password in the file is longer than %d characters", ruleOf()["password.plain"].most)
	}
	if info.Mode().Perm()&0o077 != 0 {
		c.warn(path, "other users of this machine may read the file: 'chmod 600' keeps them out")
	}
	pw.Plain = Secret(line)
}
