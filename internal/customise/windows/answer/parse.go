package answer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// Bounds of a template.
const (
	MaxSize  = 4 << 20
	maxDepth = 100
	maxNodes = 100_000
)

// Parse reads an answer file, in UTF-8. Errors name a line and never what is in
// the file, which may hold passwords.
func Parse(data []byte) (*File, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that are possible", len(data), MaxSize)
	}
	p := &parser{decoder: xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")))), file: &File{}}
	for {
		token, err := p.decoder.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = p.take(token)
		}
		var syntax *xml.SyntaxError
		if errors.As(err, &syntax) {
			err = errors.New("it is not well-formed XML of UTF-8")
		}
		if err != nil {
			line, _ := p.decoder.InputPos()
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	if len(p.open) > 0 {
		return nil, errors.New("its last element has no end")
	}
	if p.file.root == nil || p.file.root.name != "unattend" {
		return nil, ErrForm
	}
	return p.file, nil
}

// parser builds the tree with the names as they stand there: encoding/xml would
// otherwise replace prefixes by name spaces, and could not write them again.
type parser struct {
	decoder *xml.Decoder
	file    *File
	open    []*node
	nodes   int
}

func (p *parser) take(token xml.Token) error {
	switch t := token.(type) {
	case xml.StartElement:
		return p.start(t)
	case xml.EndElement:
		last := len(p.open) - 1
		if last < 0 || p.open[last].prefix+p.open[last].name != prefix(t.Name)+t.Name.Local {
			return errors.New("an element ends that was not begun there")
		}
		p.open = p.open[:last]
	case xml.CharData:
		if len(p.open) > 0 {
			p.put(text(t))
		} else if len(bytes.TrimSpace(t)) > 0 {
			return errors.New("there is text outside of all elements")
		}
	case xml.Comment:
		p.put(comment(t))
	case xml.ProcInst:
		if t.Target != "xml" {
			p.put(command(t.Target + " " + string(t.Inst)))
		}
	case xml.Directive:
		return errors.New("it has a document type; take it out")
	}
	return nil
}

func (p *parser) start(t xml.StartElement) error {
	p.nodes += 1 + len(t.Attr)
	if len(p.open) >= maxDepth || p.nodes > maxNodes {
		return fmt.Errorf("there are more than %d elements inside each other, or more than %d at all", maxDepth, maxNodes)
	}
	n := &node{prefix: prefix(t.Name), name: t.Name.Local, depth: len(p.open)}
	for _, a := range t.Attr {
		n.attrs = append(n.attrs, attr{prefix(a.Name) + a.Name.Local, a.Value})
	}
	if len(p.open) == 0 {
		if p.file.root != nil {
			return errors.New("there is a second outermost element")
		}
		p.file.root = n
	}
	p.put(n)
	p.open = append(p.open, n)
	return nil
}

// put appends to the element that is open, or to the file.
func (p *parser) put(i item) {
	if len(p.open) == 0 {
		p.file.tops = append(p.file.tops, i)
		return
	}
	n := p.open[len(p.open)-1]
	n.items = append(n.items, i)
}

func prefix(n xml.Name) string {
	if n.Space == "" {
		return ""
	}
	return n.Space + ":"
}
