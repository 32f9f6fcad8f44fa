package network

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Ifupdown is a file for /etc/network/interfaces.d: interfaces(5) of Debian. An
// interface known by its MAC, or by a pattern, gets a logical name.
func Ifupdown(list []Interface) []byte {
	var out strings.Builder
	out.WriteString("# written by ingot\n")
	for n, i := range list {
		name := i.Name
		switch logical := fmt.Sprintf("ingot%d", n); {
		case i.MAC != "":
			fmt.Fprintf(&out, "auto mac/%s=%s\n", i.MAC, logical)
			name = logical
		case i.glob():
			fmt.Fprintf(&out, "auto /%s=%s\n", i.Name, logical)
			name = logical
		default:
			fmt.Fprintf(&out, "auto %s\n", name)
		}
		for _, family := range []int{4, 6} {
			out.WriteString(stanzas(i, name, family, len(i.Addresses) == 0))
		}
	}
	return []byte(out.String())
}

// stanzas are what one family of an interface needs.
func stanzas(i Interface, name string, family int, alone bool) string {
	inet := map[int]string{4: "inet", 6: "inet6"}[family]
	dynamic := map[int]string{4: "dhcp", 6: "auto"}[family]
	var out strings.Builder
	switch {
	case i.DHCP:
		fmt.Fprintf(&out, "iface %s %s %s\n", name, inet, dynamic)
	case alone && family == 4:
		fmt.Fprintf(&out, "iface %s inet manual\n", name)
	}
	for n, a := range of(i.Addresses, family, netip.Prefix.Addr) {
		fmt.Fprintf(&out, "iface %s %s static\n\taddress %s\n", name, inet, a)
		if n > 0 {
			continue
		}
		for _, g := range of(i.Gateways, family, itself) {
			fmt.Fprintf(&out, "\tgateway %s\n", g)
		}
		if dns := of(i.DNS, family, itself); len(dns) > 0 {
			fmt.Fprintf(&out, "\tdns-nameservers %s\n", join(dns, " "))
		}
		if len(i.Search) > 0 {
			fmt.Fprintf(&out, "\tdns-search %s\n", strings.Join(i.Search, " "))
		}
	}
	return out.String()
}

// sourced is the line that makes ifupdown read interfaces.d, and sources are what
// begins lines like it.
const sourced = "source /etc/network/interfaces.d/*"

// EditInterfaces makes /etc/network/interfaces leave the interfaces of list to the
// file in interfaces.d: their stanzas become comments.
func EditInterfaces(text []byte, list []Interface) []byte {
	var out bytes.Buffer
	reads, muted := false, false
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) >= 2 && strings.HasPrefix(f[0], "source") && strings.HasPrefix(f[1], "/etc/network/interfaces.d") {
			reads = true
		}
		if stanza(f) {
			muted = f[0] == "iface" && len(f) > 1 && taken(list, f[1])
		}
		if len(f) >= 2 && (f[0] == "auto" || strings.HasPrefix(f[0], "allow-")) && slices.ContainsFunc(f[1:], func(name string) bool { return taken(list, name) }) {
			line = without(f, list)
		}
		if muted && len(f) > 0 && !strings.HasPrefix(f[0], "#") {
			line = append([]byte("# ingot: "), line...)
		}
		out.Write(line)
	}
	if !reads {
		if n := out.Len(); n > 0 && out.Bytes()[n-1] != '\n' {
			out.WriteByte('\n')
		}
		out.WriteString(sourced + "\n")
	}
	return out.Bytes()
}

// stanza reports whether a line begins a stanza, and so ends the one before.
func stanza(f []string) bool {
	if len(f) == 0 {
		return false
	}
	switch f[0] {
	case "iface", "mapping", "auto", "source", "source-directory", "rename", "no-auto-down", "no-scripts", "template":
		return true
	}
	return strings.HasPrefix(f[0], "allow-")
}

// without is an auto or allow- line without the interfaces of list.
func without(f []string, list []Interface) []byte {
	kept := slices.DeleteFunc(slices.Clone(f), func(name string) bool { return taken(list, name) })
	if len(kept) < 2 {
		return []byte("# ingot: " + strings.Join(f, " ") + "\n")
	}
	return []byte(strings.Join(kept, " ") + "\n")
}

// taken reports whether name is configured by list. When list knows an interface
// by its MAC alone, that can be any wired one.
func taken(list []Interface, name string) bool {
	return slices.ContainsFunc(list, func(i Interface) bool {
		if i.MAC != "" {
			return strings.HasPrefix(name, "en") || strings.HasPrefix(name, "eth")
		}
		return i.Matches(name, "")
	})
}

// Others returns the interfaces, but lo, that an interfaces file configures.
func Others(text []byte) []string {
	var names []string
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) >= 2 && f[0] == "iface" && f[1] != "lo" {
			names = append(names, f[1])
		}
	}
	return names
}
