package answer

import (
	"bytes"
	"slices"
	"strings"
)

// item is a part of an element: a *node, or something that is written as it is.
type item interface{ write(b *bytes.Buffer) }

type attr struct{ name, value string } // the name with its prefix

// node is an element.
type node struct {
	prefix string // with its colon, or ""
	name   string
	attrs  []attr
	items  []item
	depth  int
}

type (
	text    string // unescaped
	comment string
	command string // a processing instruction, without its brackets
)

// children are the elements in n with a name, whatever their prefix.
func (n *node) children(name string) []*node {
	var found []*node
	for _, i := range n.items {
		if c, ok := i.(*node); ok && c.name == name {
			found = append(found, c)
		}
	}
	return found
}

func (n *node) attr(name string) (string, bool) {
	for _, a := range n.attrs {
		if a.name == name {
			return a.value, true
		}
	}
	return "", false
}

// text is what n says, without what is in elements in it.
func (n *node) text() string {
	var all strings.Builder
	for _, i := range n.items {
		if t, ok := i.(text); ok {
			all.WriteString(string(t))
		}
	}
	return strings.TrimSpace(all.String())
}

// add appends an element, in a line of its own, in the name space of n.
func (n *node) add(name string) *node {
	if last := len(n.items) - 1; last >= 0 && blank(n.items[last]) {
		n.items = n.items[:last]
	}
	c := &node{prefix: n.prefix, name: name, depth: n.depth + 1}
	n.items = append(n.items, indent(c.depth), c, indent(n.depth))
	return c
}

// remove takes an element out, with the blanks before it.
func (n *node) remove(c *node) {
	at := slices.IndexFunc(n.items, func(i item) bool { return i == item(c) })
	if at < 0 {
		return
	}
	first := at
	if at > 0 && blank(n.items[at-1]) {
		first--
	}
	n.items = slices.Delete(n.items, first, at+1)
}

func indent(depth int) text { return text("\n" + strings.Repeat("  ", depth)) }

func blank(i item) bool {
	t, ok := i.(text)
	return ok && strings.TrimSpace(string(t)) == ""
}

func (n *node) write(b *bytes.Buffer) {
	b.WriteString("<" + n.prefix + n.name)
	for _, a := range n.attrs {
		b.WriteString(" " + a.name + `="` + inAttribute.Replace(a.value) + `"`)
	}
	if len(n.items) == 0 {
		b.WriteString(" />")
		return
	}
	b.WriteString(">")
	for _, i := range n.items {
		i.write(b)
	}
	b.WriteString("</" + n.prefix + n.name + ">")
}

// What must not stand as it is; see XML 1.0, sections 2.4, 2.11 and 3.3.3. A '>'
// is replaced for the sake of ']]>'.
var (
	inText      = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "\r", "&#xD;")
	inAttribute = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#xD;", "\n", "&#xA;", "\t", "&#x9;")
)

func (t text) write(b *bytes.Buffer) { b.WriteString(inText.Replace(string(t))) }

func (c comment) write(b *bytes.Buffer) { b.WriteString("<!--" + string(c) + "-->") }

func (c command) write(b *bytes.Buffer) { b.WriteString("<?" + string(c) + "?>") }
