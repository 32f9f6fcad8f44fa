package profile

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

func (c *checker) windows(p *Profile) {
	w := &p.Windows
	for _, at := range []string{"windows.administrator.hash", "windows.domain.password.hash"} {
		if c.given(at) {
			c.add(at, "Windows takes no hashes: give the password as file or plain")
		}
	}
	if c.given("windows.workgroup") {
		if problem := workgroupProblem(w.Workgroup); problem != "" {
			c.add("windows.workgroup", "%s", problem)
		}
	}
	c.domain(&w.Domain)
	for i, edit := range w.Registry {
		c.registry(fmt.Sprintf("windows.registry[%d]", i), edit)
	}
	data, absolute, info := c.content("windows.unattend", w.Unattend, maxUnattend)
	if info != nil {
		w.Unattend = absolute
		if err := unattendProblem(data); err != nil {
			c.add("windows.unattend", "%s %v", quoted(absolute), err)
		}
	}
}

// workgroupProblem: what NetBIOS takes as the name of a group.
func workgroupProblem(name string) string {
	switch {
	case len(name) > maxNetBIOS:
		return fmt.Sprintf("the workgroup %s is longer than %d characters (NetBIOS)", shown(name), maxNetBIOS)
	case strings.ContainsAny(name, `"/\[]:|<>+=;,?* `) || strings.ContainsFunc(name, func(r rune) bool { return r > 0x7e }):
		return fmt.Sprintf(`the workgroup %s has a blank, a letter beyond ASCII, or one of "/\[]:|<>+=;,?* in it`, shown(name))
	}
	return ""
}

func (c *checker) domain(d *Domain) {
	const at = "windows.domain"
	if c.given(at + ".name") {
		if problem := domainProblem(d.Name); problem != "" {
			c.add(at+".name", "%s", problem)
		}
	}
	for _, key := range []string{"user", "password"} {
		if c.isAt(at+".name") && !c.isAt(at+"."+key) {
			c.add(at, "has no %s: joining online needs an account; a blob of djoin does not", key)
		}
	}
	for _, key := range []string{"user", "password", "ou"} {
		if c.isAt(at+".blob") && c.isAt(at+"."+key) {
			c.add(at+"."+key, "cannot stand beside blob, which says everything about the domain: leave it out")
		}
	}
	if user := d.User; c.given(at+".user") && (strings.Trim(user, `\@`) != user || strings.Count(user, `\`)+strings.Count(user, "@") > 1) {
		c.add(at+".user", `%s is no account: want user, DOMAIN\user or user@domain`, shown(user))
	}
	if c.given(at+".ou") && !isOU(d.OU) {
		c.add(at+".ou", "%s is no distinguished name of an organizational unit: want one such as OU=Lab,DC=example,DC=org", shown(d.OU))
	}
	data, absolute, info := c.content(at+".blob", d.Blob, maxBlob)
	if info != nil {
		d.Blob = absolute
		if len(bytes.TrimSpace(data)) == 0 {
			c.add(at+".blob", "%s is empty", quoted(absolute))
		}
	}
}

// One part of a distinguished name (RFC 4514); what is special is escaped.
var rdn = regexp.MustCompile(`^ *(?i:OU|CN|DC|O) *= *(?:[^\\,+"<>;=\x00-\x1f]|\\[\\,+"<>;= #]|\\[0-9A-Fa-f]{2})+$`)

// isOU reports whether name is the distinguished name of something inside a domain.
func isOU(name string) bool {
	var parts []string
	for i, start, escaped := 0, 0, false; i <= len(name); i++ {
		if i == len(name) || name[i] == ',' && !escaped {
			parts = append(parts, name[start:i])
			start = i + 1
		}
		escaped = i < len(name) && name[i] == '\\' && !escaped
	}
	kind := func(part string) string {
		k, _, _ := strings.Cut(part, "=")
		return strings.ToUpper(strings.TrimSpace(k))
	}
	for _, part := range parts {
		if !rdn.MatchString(part) {
			return false
		}
	}
	first := kind(parts[0])
	return (first == "OU" || first == "CN") && kind(parts[len(parts)-1]) == "DC"
}

// unattendProblem wants an answer file of Windows Setup. Its errors hold nothing of
// what is in the file: passwords may be.
func unattendProblem(data []byte) error {
	const root, space = "unattend", "urn:schemas-microsoft-com:unattend"
	d := xml.NewDecoder(bytes.NewReader(data))
	for depth, seen := 0, false; ; {
		token, err := d.Token()
		line, column := d.InputPos()
		switch t := token.(type) {
		case xml.StartElement:
			if depth == 0 && (seen || t.Name.Local != root || t.Name.Space != space) {
				return fmt.Errorf("is no answer file: want one element %s of xmlns %q as its root", root, space)
			}
			depth, seen = depth+1, true
			if depth > 100 {
				return errors.New("has more than 100 elements inside each other")
			}
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("has a document type in line %d: take it out", line)
		}
		if errors.Is(err, io.EOF) && seen {
			return nil
		} else if errors.Is(err, io.EOF) {
			return errors.New("is empty")
		} else if err != nil {
			return fmt.Errorf("is not well-formed XML of UTF-8, in line %d, column %d", line, column)
		}
	}
}
