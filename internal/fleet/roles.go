package fleet

import "slices"

// ranks are the roles, each of which may do what those before it may.
func ranks() []Role { return []Role{Viewer, Operator, Admin} }

// Valid reports whether r is a role.
func (r Role) Valid() bool { return slices.Contains(ranks(), r) }

// May reports whether r may do what needs at least the role need. No role may
// nothing.
func (r Role) May(need Role) bool {
	return r.Valid() && slices.Index(ranks(), r) >= slices.Index(ranks(), need)
}
