package kmod

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// Tree is all modules of one kernel, and what it has built in.
type Tree struct {
	byName  map[string]*Module
	byAlias map[string][]*Module // without wildcards
	builtin map[string]bool      // names
	paths   map[string]bool      // of builtins
}

// NewTree takes the modules of a kernel and the text of its modules.builtin, a path
// a line.
func NewTree(modules []*Module, builtin string) (*Tree, error) {
	t := &Tree{map[string]*Module{}, map[string][]*Module{}, map[string]bool{}, map[string]bool{}}
	for line := range strings.Lines(builtin) {
		if line = strings.TrimSpace(line); line != "" {
			t.builtin[nameOf(line)] = true
			t.paths[line] = true
		}
	}
	for _, m := range modules {
		if other := t.byName[m.Name]; other != nil {
			return nil, fmt.Errorf("two kernel modules have the name %s: %s and %s", m.Name, other.Path, m.Path)
		}
		t.byName[m.Name] = m
		for _, a := range m.Aliases {
			if !strings.ContainsAny(a, "*?[") {
				t.byAlias[a] = append(t.byAlias[a], m)
			}
		}
	}
	return t, nil
}

// Choose returns the modules that one of patterns names, and all that they need, in
// the order of their paths. A pattern is a path below "kernel", of a module without
// ".ko" or of a folder, or one with wildcards for path.Match; "!" before it leaves
// out what it names, unless something needs it. Unknown are the patterns that name
// neither a module nor something built in; "?" before one says that this may be so.
func (t *Tree) Choose(patterns []string) (chosen []*Module, unknown []string, err error) {
	named := map[*Module]bool{}
	for _, pattern := range patterns {
		wanted, out := strings.CutPrefix(pattern, "!")
		wanted, unsure := strings.CutPrefix(wanted, "?")
		found, err := t.match(wanted)
		if err != nil {
			return nil, nil, err
		}
		if len(found) == 0 && !out && !unsure && !t.hasBuiltin(wanted) {
			unknown = append(unknown, pattern)
		}
		for _, m := range found {
			if out {
				delete(named, m)
			} else {
				named[m] = true
			}
		}
	}
	all := map[*Module]bool{}
	for m := range named {
		if err := t.add(m, all); err != nil {
			return nil, nil, err
		}
	}
	chosen = slices.SortedFunc(maps.Keys(all), func(a, b *Module) int { return strings.Compare(a.Path, b.Path) })
	return chosen, unknown, nil
}

func (t *Tree) match(pattern string) (found []*Module, err error) {
	for _, m := range t.byName {
		ok, err := names(pattern, m.Path)
		if err != nil {
			return nil, err
		}
		if ok {
			found = append(found, m)
		}
	}
	return found, nil
}

func (t *Tree) hasBuiltin(pattern string) bool {
	for p := range t.paths {
		if ok, _ := names(pattern, p); ok {
			return true
		}
	}
	return false
}

// names tells whether pattern names the module at p.
func names(pattern, p string) (bool, error) {
	p = strings.TrimPrefix(p, "kernel/")
	p, _, _ = strings.Cut(p, ".ko")
	if strings.HasPrefix(p, pattern+"/") {
		return true, nil
	}
	ok, err := path.Match(pattern, p)
	if err != nil {
		return false, fmt.Errorf("the pattern %q of kernel modules: %w", pattern, err)
	}
	return ok, nil
}

// add adds m and everything that it needs, or would like to have.
func (t *Tree) add(m *Module, all map[*Module]bool) error {
	if all[m] {
		return nil
	}
	all[m] = true
	for _, name := range m.Depends {
		needed := t.byName[name]
		if needed == nil && t.builtin[name] {
			continue
		}
		if needed == nil {
			return fmt.Errorf("the kernel module %s needs %s, which is not there", m.Name, name)
		}
		if err := t.add(needed, all); err != nil {
			return err
		}
	}
	for _, name := range m.softNames() {
		wanted := t.byAlias[name]
		if exact := t.byName[plain(name)]; exact != nil {
			wanted = append([]*Module{exact}, wanted...)
		}
		for _, w := range wanted {
			if err := t.add(w, all); err != nil {
				return err
			}
		}
	}
	return nil
}

// softNames are the modules and aliases in the soft dependencies of m.
func (m *Module) softNames() (names []string) {
	for _, line := range m.Soft {
		for word := range strings.FieldsSeq(line) {
			if !strings.HasSuffix(word, ":") {
				names = append(names, word)
			}
		}
	}
	return names
}
