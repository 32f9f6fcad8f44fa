package profile

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// A visitor is shown every value of a Profile, by its path in messages and its
// path in the table of keys.
type visitor struct {
	// text is called with every string and secret. What it returns takes the
	// value's place.
	text func(path, wild, value string, pattern bool) string
	// group is called with every struct and mapping, before what it holds.
	group func(path, wild string, v reflect.Value)
}

// walk visits p, which v.text may change.
func (p *Profile) walk(v visitor) {
	v.value(reflect.ValueOf(p).Elem(), "", "", false)
}

func (vis visitor) value(v reflect.Value, path, wild string, pattern bool) {
	switch v.Kind() {
	case reflect.String:
		if vis.text != nil {
			v.SetString(vis.text(path, wild, v.String(), pattern))
		}
	case reflect.Slice:
		for i := range v.Len() {
			wild := wild + "[]"
			vis.value(v.Index(i), fmt.Sprintf("%s[%d]", path, i), wild, ruleOf()[wild].pattern)
		}
	case reflect.Map:
		if vis.group != nil {
			vis.group(path, wild, v)
		}
		for _, key := range slices.Sorted(maps.Keys(v.Interface().(map[string]string))) {
			k, entry := reflect.ValueOf(key), reflect.New(v.Type().Elem()).Elem()
			entry.Set(v.MapIndex(k))
			vis.value(entry, join(path, key), join(wild, "*"), false)
			v.SetMapIndex(k, entry)
		}
	case reflect.Struct:
		vis.object(v, path, wild)
	}
}

func (vis visitor) object(v reflect.Value, path, wild string) {
	if v.Type() == reflect.TypeFor[Password]() {
		wild = "password"
	}
	if vis.group != nil {
		vis.group(path, wild, v)
	}
	expand := v.FieldByName("Expand")
	for i, name := range fieldNames(v.Type()) {
		below := join(wild, name)
		pattern := ruleOf()[below].pattern || name == "content" && expand.IsValid() && expand.Bool()
		vis.value(v.Field(i), join(path, name), below, pattern)
	}
}
