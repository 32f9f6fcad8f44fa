package drivers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Match says for which machines and systems a set is. Each key that is given must
// fit; of a list one value is enough; pci and usb together count as one list.
// Values of maker, model, sku and versions are shell patterns and ignore case.
type Match struct {
	Maker    []string `json:"maker,omitempty"`
	Model    []string `json:"model,omitempty"`
	SKU      []string `json:"sku,omitempty"`
	OS       OS       `json:"os,omitempty"`       // "": for any
	Versions []string `json:"versions,omitempty"` // of the system: "11", "debian-12"
	PCI      []string `json:"pci,omitempty"`      // "8086:15f3", lower case
	USB      []string `json:"usb,omitempty"`
	Priority int      `json:"priority,omitempty"` // the higher one is staged first; -1000 to 1000
}

const (
	matchName   = "match.yaml"
	maxMatch    = 64 << 10 // bytes of a match.yaml
	maxPriority = 1000
	maxValues   = 1000 // in one list
)

var deviceID = regexp.MustCompile(`^[0-9a-f]{4}:[0-9a-f]{4}$`)

// parseMatch reads a match.yaml with all that is wrong in it.
func parseMatch(file string, data []byte) (Match, []profile.Problem) {
	p := matchParser{file: file}
	if len(data) > maxMatch {
		p.add(nil, "", "it has %d bytes; at most %d are possible", len(data), maxMatch)
		return p.match, p.problems
	}
	var doc yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	err := decoder.Decode(&doc)
	switch {
	case errors.Is(err, io.EOF): // an empty file is for every machine
		return p.match, nil
	case err != nil:
		p.syntax(err)
		return p.match, p.problems
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		p.add(nil, "", "it holds more than one document")
	}
	if len(doc.Content) == 1 && doc.Content[0].Tag != "!!null" {
		p.mapping(doc.Content[0])
	}
	return p.match, p.problems
}

type matchParser struct {
	file     string
	match    Match
	problems []profile.Problem
}

func (p *matchParser) add(n *yaml.Node, key, format string, args ...any) {
	problem := profile.Problem{File: p.file, Path: key, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		problem.Line, problem.Column = n.Line, n.Column
	}
	p.problems = append(p.problems, problem)
}

var yamlLine = regexp.MustCompile(`line (\d+): `)

// syntax takes the line out of yaml's message.
func (p *matchParser) syntax(err error) {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	problem := profile.Problem{File: p.file, Message: yamlLine.ReplaceAllString(text, "")}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		fmt.Sscan(m[1], &problem.Line) // digits: the expression says so
	}
	p.problems = append(p.problems, problem)
}

func (p *matchParser) mapping(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.add(n, "", "write keys with values, such as: model: [\"Latitude 5420\"]")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if seen[key.Value] {
			p.add(key, key.Value, "the key %q is there twice", key.Value)
		}
		seen[key.Value] = true
		p.key(key, value)
	}
}

func (p *matchParser) key(key, value *yaml.Node) {
	name := key.Value
	switch name {
	case "maker":
		p.match.Maker = p.patterns(name, value)
	case "model":
		p.match.Model = p.patterns(name, value)
	case "sku":
		p.match.SKU = p.patterns(name, value)
	case "versions":
		p.match.Versions = p.patterns(name, value)
	case "pci":
		p.match.PCI = p.devices(name, value)
	case "usb":
		p.match.USB = p.devices(name, value)
	case "os":
		p.match.OS = p.os(value)
	case "priority":
		p.match.Priority = p.priority(value)
	default:
		p.add(key, name, "the key %q is not known; there are maker, model, sku, os, versions, pci, usb and priority", name)
	}
}

// values reads a text, or a list of them. Numbers are texts too: versions: 11.
func (p *matchParser) values(key string, n *yaml.Node) []*yaml.Node {
	list := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		list = n.Content
	}
	if len(list) == 0 || len(list) > maxValues {
		p.add(n, key, "it has %d values; write 1 to %d, or leave the key out", len(list), maxValues)
		return nil
	}
	for _, v := range list {
		if v.Kind != yaml.ScalarNode || v.Tag == "!!null" || strings.TrimSpace(v.Value) == "" {
			p.add(v, key, "write a text, or a list of texts")
			return nil
		}
	}
	return list
}

func (p *matchParser) patterns(key string, n *yaml.Node) []string {
	var all []string
	for _, v := range p.values(key, n) {
		if _, err := path.Match(v.Value, ""); err != nil {
			p.add(v, key, "%q is not a pattern: a [ has no ]", v.Value)
			continue
		}
		all = append(all, v.Value)
	}
	return all
}

func (p *matchParser) devices(key string, n *yaml.Node) []string {
	var all []string
	for _, v := range p.values(key, n) {
		id := strings.ToLower(v.Value)
		if !deviceID.MatchString(id) {
			p.add(v, key, "%q is not vendor:device; write it as lspci -n and lsusb do: \"8086:15f3\"", v.Value)
			continue
		}
		all = append(all, id)
	}
	return all
}

func (p *matchParser) os(n *yaml.Node) OS {
	os := OS(strings.ToLower(n.Value))
	if n.Kind != yaml.ScalarNode || !slices.Contains([]OS{Linux, Windows}, os) {
		p.add(n, "os", "write linux or windows")
		return ""
	}
	return os
}

func (p *matchParser) priority(n *yaml.Node) int {
	var i int
	if n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&i) != nil || i < -maxPriority || i > maxPriority {
		p.add(n, "priority", "write a whole number from %d to %d", -maxPriority, maxPriority)
		return 0
	}
	return i
}
