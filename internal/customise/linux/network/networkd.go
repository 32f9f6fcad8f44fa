package network

import (
	"fmt"
	"strings"
)

// Networkd is a file for systemd-networkd: systemd.network(5).
func Networkd(i Interface) []byte {
	var out strings.Builder
	out.WriteString("# written by ingot\n[Match]\n")
	if i.MAC != "" {
		fmt.Fprintf(&out, "MACAddress=%s\n", i.MAC)
	} else {
		fmt.Fprintf(&out, "Name=%s\n", i.Name)
	}
	out.WriteString("\n[Network]\n")
	if i.DHCP {
		out.WriteString("DHCP=yes\n")
	}
	for _, a := range i.Addresses {
		fmt.Fprintf(&out, "Address=%s\n", a)
	}
	for _, g := range i.Gateways {
		fmt.Fprintf(&out, "Gateway=%s\n", g)
	}
	for _, d := range i.DNS {
		fmt.Fprintf(&out, "DNS=%s\n", d)
	}
	if len(i.Search) > 0 {
		fmt.Fprintf(&out, "Domains=%s\n", strings.Join(i.Search, " "))
	}
	return []byte(out.String())
}
