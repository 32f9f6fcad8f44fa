package profile

import (
	"encoding/json"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// YAML is what s means, in the form of a profile with the host name as its name.
// Secrets are hidden.
func (s *Settings) YAML() ([]byte, error) { return yaml.Marshal(s.node()) }

// MarshalJSON is YAML as JSON.
func (s *Settings) MarshalJSON() ([]byte, error) {
	var v any
	if err := s.node().Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (s *Settings) node() *yaml.Node {
	p := s.Profile
	p.Name = s.Hostname
	return p.node()
}

// YAML is p without what it does not say. Secrets are hidden.
func (p Profile) YAML() ([]byte, error) { return yaml.Marshal(p.node()) }

// MarshalJSON is YAML as JSON.
func (p Profile) MarshalJSON() ([]byte, error) {
	var v any
	if err := p.node().Decode(&v); err != nil {
		return nil, err
	}
	return json.Marshal(v)
}

func (p Profile) node() *yaml.Node { return node(reflect.ValueOf(p)) }

// node is v with the keys in the order of its fields, without zero values.
func node(v reflect.Value) *yaml.Node {
	switch v.Kind() {
	case reflect.Struct:
		n := &yaml.Node{Kind: yaml.MappingNode}
		for i, name := range fieldNames(v.Type()) {
			if f := v.Field(i); !f.IsZero() {
				n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}, node(f))
			}
		}
		return n
	case reflect.Slice:
		n := &yaml.Node{Kind: yaml.SequenceNode}
		for i := range v.Len() {
			n.Content = append(n.Content, node(v.Index(i)))
		}
		return n
	}
	n := &yaml.Node{}
	if err := n.Encode(v.Interface()); err != nil { // of text, a truth value, or a mapping of text
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: err.Error()}
	}
	return n
}
