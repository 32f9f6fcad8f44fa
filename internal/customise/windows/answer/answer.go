// Package answer reads and writes answer files of Windows Setup: unattend.xml.
//
// It owns the XML: a file that someone else wrote is kept as it is, to its
// prefixes, comments and blanks, but for what is put into it. It refuses document
// types, and values that XML cannot hold. It does not know what the settings
// mean.
//
// Start at New, or Parse for a template; then File.Component, and Element.Set and
// Element.Add on what that returns.
//
// The form is that of "Unattended Windows Setup Reference" by Microsoft: settings
// by pass, in them components by name and architecture.
package answer

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Name spaces of answer files.
const (
	unattendSpace = "urn:schemas-microsoft-com:unattend"
	stateSpace    = "http://schemas.microsoft.com/WMIConfig/2002/State" // of wcm:action
)

// File is an answer file.
type File struct {
	root *node
	tops []item // comments before and behind the root
	err  error
}

// New is a file without settings.
func New() *File {
	root := &node{name: "unattend", attrs: []attr{{"xmlns", unattendSpace}}}
	return &File{root: root, tops: []item{root}}
}

// Component returns the settings of a component for a pass and an architecture,
// as in "specialize", "Microsoft-Windows-Shell-Setup", "amd64". Where there are
// none, they are made.
func (f *File) Component(pass, component, architecture string) *Element {
	var settings *node
	for _, s := range f.root.children("settings") {
		if value, _ := s.attr("pass"); value != pass {
			continue
		}
		for _, c := range s.children("component") {
			name, _ := c.attr("name")
			arch, _ := c.attr("processorArchitecture")
			if name == component && arch == architecture {
				return f.element(c, pass+", "+component)
			}
		}
		if settings == nil {
			settings = s
		}
	}
	if settings == nil {
		settings = f.root.add("settings")
		settings.attrs = []attr{{"pass", pass}}
	}
	c := settings.add("component")
	c.attrs = []attr{
		{"name", component}, {"processorArchitecture", architecture}, {"publicKeyToken", "31bf3856ad364e35"},
		{"language", "neutral"}, {"versionScope", "nonSxS"},
	}
	return f.element(c, pass+", "+component)
}

// element wraps a component, which is made ready for lists.
func (f *File) element(c *node, place string) *Element {
	if _, ok := c.attr("xmlns:wcm"); !ok {
		c.attrs = append(c.attrs, attr{"xmlns:wcm", stateSpace})
	}
	return &Element{f, c, place}
}

// Bytes is the file as UTF-8. The error is that of the first Set whose value XML
// cannot hold.
func (f *File) Bytes() ([]byte, error) {
	if f.err != nil {
		return nil, f.err
	}
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n")
	for _, top := range f.tops {
		top.write(&b)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// Element is a component, or something in it.
type Element struct {
	file  *File
	node  *node
	place string // for messages
}

// Set makes value the text of the element that path leads to, which is made where
// it is missing.
func (e *Element) Set(value string, path ...string) {
	n := e.at(path)
	if i := slices.IndexFunc([]rune(value), notOfXML); i >= 0 && e.file.err == nil {
		e.file.err = fmt.Errorf("%s, %s: character %d of the value is one that XML cannot hold", e.place, strings.Join(path, "/"), i+1)
	}
	n.items = nil
	if value != "" {
		n.items = []item{text(value)}
	}
}

// Add appends an item to a list and returns it.
func (e *Element) Add(item string, list ...string) *Element {
	n := e.at(list).add(item)
	n.attrs = []attr{{"wcm:action", "add"}}
	return &Element{e.file, n, e.place + ", " + strings.Join(append(list, item), "/")}
}

// Key gives an item of a list of plain texts its key, which such items need.
func (e *Element) Key(key string) *Element {
	e.node.attrs = append(e.node.attrs, attr{"wcm:keyValue", key})
	return e
}

// Clear takes the items out of a list for which gone says so of the text of the
// child with a name.
func (e *Element) Clear(item, child string, gone func(text string) bool, list ...string) {
	n := e.at(list)
	for _, c := range n.children(item) {
		if slices.ContainsFunc(c.children(child), func(v *node) bool { return gone(v.text()) }) {
			n.remove(c)
		}
	}
}

// Items counts the items of a list.
func (e *Element) Items(item string, list ...string) int { return len(e.at(list).children(item)) }

// Unset takes an element away.
func (e *Element) Unset(name string) {
	for _, c := range e.node.children(name) {
		e.node.remove(c)
	}
}

// Texts are the texts of all elements that path leads to.
func (e *Element) Texts(path ...string) []string {
	nodes := []*node{e.node}
	for _, name := range path {
		var below []*node
		for _, n := range nodes {
			below = append(below, n.children(name)...)
		}
		nodes = below
	}
	var texts []string
	for _, n := range nodes {
		texts = append(texts, n.text())
	}
	return texts
}

// at returns the element that path leads to.
func (e *Element) at(path []string) *node {
	n := e.node
	for _, name := range path {
		if below := n.children(name); len(below) > 0 {
			n = below[0]
		} else {
			n = n.add(name)
		}
	}
	return n
}

// notOfXML reports whether a character is outside Char of XML 1.0, section 2.2.
func notOfXML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return false
	case r < 0x20 || r == 0xFFFE || r == 0xFFFF || r == 0xFFFD: // the last stands for bytes that are not UTF-8
		return true
	}
	return r >= 0xD800 && r < 0xE000
}

// ErrForm says that a template is no answer file.
var ErrForm = errors.New("it is no answer file: its outermost element is not unattend")
