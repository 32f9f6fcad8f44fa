package cli

import (
	"bytes"
	"encoding/json"
	"io"
)

// jsonList writes a list of any length as one JSON document, an element at a time.
type jsonList struct {
	w io.Writer
	n int
}

// add writes an element.
func (l *jsonList) add(v any) error {
	var b bytes.Buffer
	if l.n == 0 {
		b.WriteString("[\n  ")
	} else {
		b.WriteString(",\n  ")
	}
	l.n++
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := l.w.Write(bytes.TrimRight(b.Bytes(), "\n"))
	return err
}

// end ends the list.
func (l *jsonList) end() error {
	text := "\n]"
	if l.n == 0 {
		text = "[]"
	}
	_, err := io.WriteString(l.w, text)
	return err
}
