package profile

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// Schema is the JSON Schema (2020-12) of a profile, made of the types and the table
// of keys. Editors complete and check by it. It knows less than Load: what follows
// from other files, or from the machine, it cannot see.
func Schema() ([]byte, error) {
	root := schemaOf(reflect.TypeFor[Profile](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "ingot profile"
	root["description"] = "How a deployed disk becomes one machine's own. Explained in doc/profiles.md."
	root["$defs"] = map[string]any{"password": schemaOf(reflect.TypeFor[Password](), "password")}
	data, err := json.MarshalIndent(root, "", "  ")
	return append(data, '\n'), err
}

type object = map[string]any

func schemaOf(t reflect.Type, path string) object {
	rule := ruleOf()[path]
	var s object
	switch {
	case t.Kind() == reflect.Struct:
		s = structSchema(t, path)
	case t.Kind() == reflect.Slice:
		s = object{"type": "array", "items": schemaOf(t.Elem(), path+"[]"), "maxItems": maxEntries}
	case t.Kind() == reflect.Map:
		s = object{"type": "object", "maxProperties": maxEntries, "propertyNames": object{"pattern": anchored(rule.keys)},
			"additionalProperties": schemaOf(t.Elem(), join(path, "*"))}
	case t.Kind() == reflect.Bool:
		s = object{"type": "boolean"}
	default:
		s = textSchema(rule)
	}
	if rule.about != "" {
		s["description"] = rule.about
	}
	return s
}

func textSchema(r keyRule) object {
	s := object{"type": "string", "maxLength": r.most}
	if !r.empty {
		s["minLength"] = 1
	}
	if r.enum != nil {
		s["enum"] = r.enum
	}
	switch {
	case r.form != "" && r.pattern: // what a pattern becomes is not known here
		s["anyOf"] = []object{{"pattern": anchored(r.form)}, {"pattern": "[{]"}}
	case r.form != "":
		s["pattern"] = anchored(r.form)
	}
	return s
}

func anchored(form string) string { return "^(" + form + ")$" }

func structSchema(t reflect.Type, path string) object {
	properties := object{}
	for i, name := range fieldNames(t) {
		below, field := join(path, name), t.Field(i).Type
		if field == reflect.TypeFor[Password]() {
			properties[name] = object{"$ref": "#/$defs/password", "description": ruleOf()[below].about}
			continue
		}
		properties[name] = schemaOf(field, below)
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	var all []object
	for _, shape := range shapes() {
		if shape.path == path {
			all = append(all, shape.schema(t)...)
		}
	}
	if len(all) > 0 {
		s["allOf"] = all
	}
	return s
}

// schema says which keys stand together.
func (s shape) schema(t reflect.Type) (all []object) {
	if len(s.required) > 0 {
		all = append(all, object{"required": s.required})
	}
	if len(s.one) > 0 {
		var one []object
		for _, key := range s.one {
			one = append(one, given(t, key))
		}
		all = append(all, object{"oneOf": one})
	}
	if len(s.most) > 0 {
		all = append(all, object{"not": object{"required": s.most}})
	}
	return all
}

// given is the schema of an object in which key says something: false and an empty
// list do not.
func given(t reflect.Type, key string) object {
	s := object{"required": []string{key}}
	for i, name := range fieldNames(t) {
		kind := t.Field(i).Type.Kind()
		switch {
		case name == key && kind == reflect.Bool:
			s["properties"] = object{key: object{"const": true}}
		case name == key && kind == reflect.Slice:
			s["properties"] = object{key: object{"minItems": 1}}
		}
	}
	return s
}

// Keys are the paths of every key, with [] for entries of lists, in the order of the
// table.
func Keys() (keys []string) {
	for _, r := range rules() {
		if !strings.HasSuffix(r.path, "[]") && !strings.HasSuffix(r.path, ".*") {
			keys = append(keys, r.path)
		}
	}
	return keys
}

// KeyTable is the rows of the table of keys in doc/profiles.md.
func KeyTable() string {
	var b strings.Builder
	for _, r := range rules() {
		pattern, about := "", r.about
		if r.pattern {
			pattern = "yes"
		}
		if r.enum != nil {
			about += " One of " + either(r.enum) + "."
		} else if r.want != "" {
			about += " A value is " + r.want + "."
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", r.path, pattern, strings.ReplaceAll(about, "*", `\*`))
	}
	return b.String()
}
