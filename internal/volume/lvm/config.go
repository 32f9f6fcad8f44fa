package lvm

import (
	"errors"
	"fmt"
	"strconv"
)

// Bounds on metadata text. A volume group of a thousand logical volumes has some
// thirty thousand values in one megabyte.
const (
	maxText  = 4 << 20
	maxNodes = 1 << 17
	maxDepth = 8
)

// node is a section or an assignment of LVM's configuration language (man
// lvm.conf, 'syntax'; lib/config in LVM2).
type node struct {
	key      string
	children []node   // of a section
	values   []string // of an assignment; numbers as they are written
}

// child returns the first child with the key; absent is an empty node.
func (n *node) child(key string) *node {
	for i := range n.children {
		if n.children[i].key == key {
			return &n.children[i]
		}
	}
	return &node{}
}

// text is the value of a child, "" when it has none.
func (n *node) text(key string) string {
	if v := n.child(key).values; len(v) > 0 {
		return v[0]
	}
	return ""
}

// number is the value of a child as a number of 0..limit; anything else is an error.
func (n *node) number(key string, limit int64) (int64, error) {
	v, err := strconv.ParseInt(n.text(key), 10, 64)
	if err != nil || v < 0 || v > limit {
		return 0, fmt.Errorf("section %q: %s is %q", n.key, key, n.text(key))
	}
	return v, nil
}

// has reports whether a child's list of values contains the word.
func (n *node) has(key, word string) bool {
	for _, v := range n.child(key).values {
		if v == word {
			return true
		}
	}
	return false
}

// parser reads the text in one pass.
type parser struct {
	text  []byte
	at    int
	nodes int
}

var (
	errTooBig = errors.New("it has too many values")
	errSyntax = errors.New("it is not in LVM's configuration syntax")
)

// parseConfig reads metadata text, up to a NUL or its end.
func parseConfig(text []byte) (*node, error) {
	p := &parser{text: text}
	root := &node{}
	err := p.section(root, 0)
	return root, err
}

// section reads assignments and sections up to the closing brace, or the end of
// the text at depth 0.
func (p *parser) section(n *node, depth int) error {
	if depth > maxDepth {
		return errTooBig
	}
	for {
		tok, quoted := p.token()
		switch {
		case tok == "":
			if depth > 0 {
				return errSyntax
			}
			return nil
		case tok == "}" && !quoted:
			if depth == 0 {
				return errSyntax
			}
			return nil
		}
		if p.nodes++; p.nodes > maxNodes {
			return errTooBig
		}
		child := node{key: tok}
		if err := p.body(&child, depth); err != nil {
			return err
		}
		n.children = append(n.children, child)
	}
}

// body reads what follows a key.
func (p *parser) body(n *node, depth int) error {
	tok, quoted := p.token()
	if quoted {
		return errSyntax
	}
	switch tok {
	case "{":
		return p.section(n, depth+1)
	case "=":
		return p.assignment(n)
	}
	return errSyntax
}

// assignment reads one value or a bracketed list of them.
func (p *parser) assignment(n *node) error {
	tok, quoted := p.token()
	if quoted || tok != "[" {
		n.values = []string{tok}
		return nil
	}
	for {
		tok, quoted := p.token()
		switch {
		case quoted:
		case tok == "]":
			return nil
		case tok == ",":
			continue
		case tok == "" || tok == "{" || tok == "}" || tok == "=" || tok == "[":
			return errSyntax
		}
		if p.nodes++; p.nodes > maxNodes {
			return errTooBig
		}
		n.values = append(n.values, tok)
	}
}

// token returns the next word, string or punctuation mark, "" and false at the end.
func (p *parser) token() (tok string, quoted bool) {
	p.skip()
	if p.at >= len(p.text) {
		return "", false
	}
	start := p.at
	switch p.text[p.at] {
	case 0:
		return "", false
	case '{', '}', '[', ']', ',', '=':
		p.at++
		return string(p.text[start:p.at]), false
	case '"':
		return p.quoted(), true
	}
	for p.at < len(p.text) && !delimiter(p.text[p.at]) {
		p.at++
	}
	return string(p.text[start:p.at]), false
}

// skip passes blanks and comments.
func (p *parser) skip() {
	comment := false
	for ; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; {
		case c == '\n':
			comment = false
		case c == 0:
			return
		case comment, c == ' ', c == '\t', c == '\r':
		case c == '#':
			comment = true
		default:
			return
		}
	}
}

// quoted reads a string, in which a backslash protects the byte behind it.
func (p *parser) quoted() string {
	var out []byte
	for p.at++; p.at < len(p.text); p.at++ {
		c := p.text[p.at]
		if c == '"' {
			p.at++
			break
		}
		if c == '\\' && p.at+1 < len(p.text) {
			p.at++
			c = p.text[p.at]
		}
		out = append(out, c)
	}
	return string(out)
}

func delimiter(c byte) bool {
	switch c {
	case 0, ' ', '\t', '\r', '\n', '{', '}', '[', ']', ',', '=', '"', '#':
		return true
	}
	return false
}
