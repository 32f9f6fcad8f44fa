package profile

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// open reports whether p has placeholders.
func (p pattern) open() bool {
	return slices.ContainsFunc(p, func(part part) bool { return part.alternatives != nil })
}

// literal is the text outside of placeholders.
func (p pattern) literal() string {
	var b strings.Builder
	for _, part := range p {
		if part.alternatives == nil {
			b.WriteString(part.text)
		}
	}
	return b.String()
}

// expand puts values in the place of placeholders. A placeholder without a value
// is an error, and so is a result of more than most bytes.
func (p pattern) expand(value func(name string) string, most int) (string, error) {
	var b strings.Builder
	for _, part := range p {
		text := part.text
		if part.alternatives != nil {
			var err error
			if text, err = part.expand(value); err != nil {
				return "", err
			}
		}
		if b.Len()+len(text) > most {
			return "", fmt.Errorf("is longer than %d bytes with its placeholders expanded", most)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

func (ph part) expand(value func(name string) string) (string, error) {
	for _, a := range ph.alternatives {
		text := a.text
		if a.name != "" {
			text = a.cut(value(a.name))
			if text == "" {
				continue
			}
		}
		switch ph.filter {
		case lower:
			text = strings.ToLower(text)
		case upper:
			text = strings.ToUpper(text)
		}
		return text, nil
	}
	return "", fmt.Errorf("%s has no value", shown(ph.text))
}

// cut applies a's slice, or its width.
func (a alternative) cut(value string) string {
	if value == "" {
		return ""
	}
	if a.name == counter {
		return strings.Repeat("0", max(a.width-len(value), 0)) + value
	}
	r := []rune(value)
	start := a.start
	if start < 0 {
		start = max(len(r)+start, 0)
	}
	r = r[min(start, len(r)):]
	if a.length >= 0 {
		r = r[:min(a.length, len(r))]
	}
	return string(r)
}

// clean is a fact of a machine, or a cell of a table, as placeholders stand for it:
// firmware pads its strings, and fills them with whatever it had.
func clean(value string) string {
	value = strings.ToValidUTF8(value, "")
	value = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, value)
	return strings.TrimSpace(value)
}
