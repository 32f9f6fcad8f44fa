package fleet

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/machine"
)

// RuleFields are what a rule can look at.
func RuleFields() []string { return []string{"maker", "model", "serial", "asset", "mac", "addr"} }

// Matches reports whether a rule is about a machine. A value that is unknown
// matches nothing, not even "*"; capitals do not matter. Firmware and network can
// be made to say anything: a rule is as good as the room's door.
func (r Rule) Matches(m Machine) bool {
	switch r.Field {
	case "maker":
		return r.matches(m.Inventory.Maker)
	case "model":
		return r.matches(m.Inventory.Model)
	case "serial":
		return r.matches(m.Inventory.Serial)
	case "asset":
		return r.matches(m.Inventory.Asset)
	case "mac":
		return slices.ContainsFunc(m.Identity.MACs, r.matches)
	case "addr":
		prefix, err := parsePrefix(r.Match)
		addr, known := parseAddr(m.Addr)
		return err == nil && known && prefix.Contains(addr)
	}
	return false
}

func (r Rule) matches(value string) bool {
	pattern := strings.ToLower(r.Match)
	if r.Field == "mac" {
		pattern = strings.ReplaceAll(pattern, "-", ":")
	}
	return machine.Known(value) != "" && glob(pattern, strings.ToLower(value))
}

// glob matches a pattern in which * stands for any characters and ? for one. When
// it fails it goes back to the last * alone, so its time is at most the product of
// both lengths.
func glob(pattern, s string) bool {
	p, t := []rune(pattern), []rune(s)
	i, j, star, from := 0, 0, -1, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, from = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}

// parsePrefix takes a prefix, as 10.1.0.0/16, or one address.
func parsePrefix(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Prefix(addr.BitLen())
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err
}

// parseAddr takes an address with or without a port.
func parseAddr(s string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(s)
	if err != nil {
		both, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = both.Addr()
	}
	return addr.Unmap().WithZone(""), true
}

// Problem says which field of a rule is wrong and why, "" for nothing. The names of
// fields are those of its JSON.
func (r Rule) Problem() (field, message string) {
	if problem := NameProblem(r.Name); problem != "" {
		return "name", problem
	}
	if !slices.Contains(RuleFields(), r.Field) {
		return "field", "a rule looks at one of " + strings.Join(RuleFields(), ", ")
	}
	if r.Group != "" {
		if problem := NameProblem(r.Group); problem != "" {
			return "group", problem
		}
	}
	if problem := r.matchProblem(); problem != "" {
		return "match", problem
	}
	return "", ""
}

func (r Rule) matchProblem() string {
	const most = 200
	switch {
	case r.Match == "":
		return "a pattern is missing: * stands for any characters, ? for one"
	case len(r.Match) > most:
		return "a pattern has at most 200 characters"
	case r.Match != Text(r.Match, most):
		return "a pattern has no control characters and no blanks at its ends"
	case r.Field == "mac" && strings.Trim(strings.ToLower(r.Match), "0123456789abcdef:-*?") != "":
		return "an address has digits, letters a to f and colons: 52:54:00:*"
	case r.Field != "addr":
		return ""
	}
	if _, err := parsePrefix(r.Match); err != nil {
		return "want a network as 10.1.0.0/16, or an address"
	}
	return ""
}
