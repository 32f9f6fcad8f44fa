package profile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// MaxSize is how large a profile may be, in bytes. The largest real ones hold some
// scripts.
const MaxSize = 1 << 20

// Document is a profile that was read and found right, as far as that can be said
// without knowing the machine. It does not change and may be used by several
// goroutines.
type Document struct {
	Name    string  // of the file
	Profile Profile // as it stands in the file, patterns and all

	dir      string // what relative names in the profile are relative to; "": nothing
	root     *yaml.Node
	at       map[string]place
	machines *table // nil: none
}

// Load reads a profile and what it refers to. Names in it are relative to its
// folder. Mistakes are an *Error that holds all of them; anything else is an error
// of the operating system.
func Load(path string) (*Document, error) {
	data, err := readFile(os.Open, path, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("read the profile: %w", err)
	}
	return Parse(path, data, dir)
}

// Parse reads a profile from memory. Name stands in messages; dir is the folder
// that names in the profile are relative to, "" where there is none.
func Parse(name string, data []byte, dir string) (*Document, error) {
	root, problem := parseYAML(data)
	if problem != nil {
		problem.File = name
		return nil, failure(name, []Problem{*problem})
	}
	d := &Document{Name: name, dir: dir, root: root}
	var problems []Problem
	d.Profile, problems, d.at = d.decode()
	d.machines = d.readMachines(&problems)
	draft, _, _ := d.decode() // the check puts files' contents and whole names into it
	c := d.checker(problems, "")
	c.open(&draft)
	c.profile(&draft)
	c.machines()
	if err := failure(name, c.problems); err != nil {
		return nil, err
	}
	return d, nil
}

// decode makes a Profile of the document, a new one each time.
func (d *Document) decode() (p Profile, problems []Problem, at map[string]place) {
	dec := decoder{file: d.Name, at: map[string]place{}}
	dec.value(d.root, reflect.ValueOf(&p).Elem(), "", "")
	return p, dec.problems, dec.at
}

// parseYAML wants one document of UTF-8 that says something.
func parseYAML(data []byte) (*yaml.Node, *Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	switch {
	case len(data) > MaxSize:
		return nil, &Problem{Message: fmt.Sprintf("is larger than %d bytes: put large contents into files of their own, and name them as source", MaxSize)}
	case !utf8.Valid(data):
		line, column := notText(data)
		return nil, &Problem{Line: line, Column: column, Message: "is not UTF-8: save the file as UTF-8"}
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, &Problem{Message: "says nothing: write {} if that is meant"}
	} else if err != nil {
		return nil, syntaxProblem(err, data)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, &Problem{Line: second.Line, Column: second.Column, Message: "a second document begins here: a profile is one document, take out the line ---"}
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxProblem(err, data)
	}
	root := doc.Content[0]
	if root.ShortTag() == "!!null" {
		return nil, &Problem{Line: root.Line, Column: root.Column, Message: "says nothing: write {} if that is meant"}
	}
	return root, nil
}

// notText is the place of the first byte that is not UTF-8.
func notText(data []byte) (line, column int) {
	line, column = 1, 1
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		if r == utf8.RuneError && n == 1 {
			break
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		data = data[n:]
	}
	return line, column
}
