package profile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// place is where a value stands in the file. The key of a value that is absent is
// looked for where its parent stands.
type place struct{ line, column int }

// maxEntries is how many entries a list may have, and keys a mapping: more than
// anybody writes, and few enough to look at each with every other.
const maxEntries = 1000

// decoder puts a document into a Profile, and collects what does not belong there.
// It is strict: what it does not know is a mistake, and text is text, so that
// 0644, no and 1e3 mean what was written.
type decoder struct {
	file     string
	at       map[string]place // by path; a path is there when its key is
	problems []Problem
}

func (d *decoder) add(n *yaml.Node, path, format string, args ...any) {
	d.problems = append(d.problems, Problem{d.file, n.Line, n.Column, path, fmt.Sprintf(format, args...)})
}

// value puts n into v. Path names the value in messages, wild in the table of keys.
func (d *decoder) value(n *yaml.Node, v reflect.Value, path, wild string) {
	d.at[path] = place{n.Line, n.Column}
	if !d.plain(n, path) {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, path, wild)
	case reflect.Slice:
		d.list(n, v, path, wild)
	case reflect.Map:
		d.mapping(n, v, path)
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!bool" {
			d.add(n, path, "want true or false")
			return
		}
		v.SetBool(strings.EqualFold(n.Value, "true"))
	default:
		d.text(n, v, path)
	}
}

// plain refuses what makes a document mean more than it says.
func (d *decoder) plain(n *yaml.Node, path string) bool {
	switch {
	case n.Kind == yaml.AliasNode:
		d.add(n, path, "aliases are not allowed here: write the value out, or put it in quotes if it begins with *")
	case n.Anchor != "":
		d.add(n, path, "anchors are not allowed here: put the value in quotes if it begins with &")
	case n.Style&yaml.TaggedStyle != 0:
		d.add(n, path, "tags are not allowed here: put the value in quotes if it begins with !")
	default:
		return true
	}
	return false
}

func (d *decoder) text(n *yaml.Node, v reflect.Value, path string) {
	_, secret := v.Interface().(Secret)
	switch tag := n.ShortTag(); {
	case n.Kind != yaml.ScalarNode:
		d.add(n, path, "want text, not %s", kindName(n))
	case tag == "!!null":
		d.add(n, path, "has no value: write one, or leave the key out")
	case tag == "!!str":
		v.SetString(n.Value)
	case secret:
		d.add(n, path, "want text: put it in quotes")
	default:
		d.add(n, path, "want text: put it in quotes, %s", shown(n.Value))
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path, wild string) {
	if n.Kind != yaml.SequenceNode {
		d.add(n, path, "want a list, each entry on a line that begins with '- '; not %s", kindName(n))
		return
	}
	if len(n.Content) > maxEntries {
		d.add(n, path, "has more than %d entries", maxEntries)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, entry := range n.Content {
		d.value(entry, v.Index(i), fmt.Sprintf("%s[%d]", path, i), wild+"[]")
	}
}

func (d *decoder) object(n *yaml.Node, v reflect.Value, path, wild string) {
	names := fieldNames(v.Type())
	secret := v.Type() == reflect.TypeFor[Password]()
	if secret {
		wild = "password"
	}
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "want keys, such as %s:, each on a line of its own below; not %s", names[0], kindName(n))
		return
	}
	d.pairs(n, path, secret, func(key, value *yaml.Node) {
		i := slices.Index(names, key.Value)
		if i < 0 {
			d.unknown(key, path, wild, names, secret)
			return
		}
		d.value(value, v.Field(i), join(path, key.Value), join(wild, key.Value))
	})
}

// mapping reads keys that the profile's author chooses.
func (d *decoder) mapping(n *yaml.Node, v reflect.Value, path string) {
	if n.Kind != yaml.MappingNode {
		d.add(n, path, "want keys and values; not %s", kindName(n))
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(n, path, false, func(key, value *yaml.Node) {
		path := join(path, key.Value)
		entry := reflect.New(v.Type().Elem()).Elem()
		d.value(value, entry, path, "")
		v.SetMapIndex(reflect.ValueOf(key.Value), entry)
	})
}

// pairs calls visit for each key of n that is text and stands there once.
func (d *decoder) pairs(n *yaml.Node, path string, secret bool, visit func(key, value *yaml.Node)) {
	if len(n.Content)/2 > maxEntries {
		d.add(n, path, "has more than %d keys", maxEntries)
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if !d.plain(key, path) {
			continue
		}
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			d.add(key, path, "want the name of a key here")
			continue
		}
		if line, twice := lines[key.Value]; twice {
			where := join(path, key.Value)
			if secret {
				where = path
			}
			d.add(key, where, "is given twice, first in line %d: leave one out", line)
			continue
		}
		lines[key.Value] = key.Line
		visit(key, value)
	}
}

// fieldNames are the keys of a struct, in the order of its fields.
func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func kindName(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "keys"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "text"
}
