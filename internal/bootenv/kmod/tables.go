package kmod

import (
	"fmt"
	"slices"
	"strings"
)

// Tables are the files of modules.dep(5) for chosen, by their names.
func (t *Tree) Tables(chosen []*Module) map[string]string {
	var dep, alias, soft strings.Builder
	alias.WriteString("# Aliases extracted from modules themselves.\n")
	soft.WriteString("# Soft dependencies extracted from modules themselves.\n")
	for _, m := range chosen {
		dep.WriteString(m.Path + ":")
		for _, needed := range t.needs(m) {
			dep.WriteString(" " + needed.Path)
		}
		dep.WriteString("\n")
		for _, a := range m.Aliases {
			fmt.Fprintf(&alias, "alias %s %s\n", a, m.Name)
		}
		for _, s := range m.Soft {
			fmt.Fprintf(&soft, "softdep %s %s\n", m.Name, s)
		}
	}
	return map[string]string{"modules.dep": dep.String(), "modules.alias": alias.String(), "modules.softdep": soft.String()}
}

// needs returns everything that m needs, in the order of modules.dep: what is
// loaded last comes first.
func (t *Tree) needs(m *Module) []*Module {
	var order []*Module
	seen := map[*Module]bool{m: true}
	var visit func(m *Module)
	visit = func(m *Module) {
		for _, name := range m.Depends {
			if needed := t.byName[name]; needed != nil && !seen[needed] {
				seen[needed] = true
				visit(needed)
				order = append(order, needed)
			}
		}
	}
	visit(m)
	slices.Reverse(order)
	return order
}
