package network

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"
)

// Keyfile is connection number n for NetworkManager: nm-settings-keyfile(5). The
// file's mode must be 0600.
func Keyfile(i Interface, n int) []byte {
	var out strings.Builder
	id := fmt.Sprintf("ingot-%d", n)
	fmt.Fprintf(&out, "# written by ingot\n[connection]\nid=%s\nuuid=%s\ntype=ethernet\nautoconnect-priority=100\n", id, connectionUUID(id))
	switch {
	case i.glob(): // one connection for several interfaces
		fmt.Fprintf(&out, "multi-connect=3\n\n[match]\ninterface-name=%s;\n", i.Name)
	case i.Name != "":
		fmt.Fprintf(&out, "interface-name=%s\n", i.Name)
	}
	out.WriteString("\n[ethernet]\n")
	if i.MAC != "" {
		fmt.Fprintf(&out, "mac-address=%s\n", strings.ToUpper(i.MAC))
	}
	for _, family := range []int{4, 6} {
		fmt.Fprintf(&out, "\n[ipv%d]\n%s", family, keyfileFamily(i, family))
	}
	return []byte(out.String())
}

func keyfileFamily(i Interface, family int) string {
	var out strings.Builder
	addresses := of(i.Addresses, family, netip.Prefix.Addr)
	method := "disabled"
	switch {
	case i.DHCP:
		method = "auto"
	case len(addresses) > 0:
		method = "manual"
	case family == 6: // as the kernel does it, like the other programs
		method = "ignore"
	}
	fmt.Fprintf(&out, "method=%s\n", method)
	if method == "disabled" || method == "ignore" {
		return out.String() // NetworkManager takes no other keys then
	}
	for k, a := range addresses {
		fmt.Fprintf(&out, "address%d=%s\n", k+1, a)
	}
	for _, g := range of(i.Gateways, family, itself) {
		fmt.Fprintf(&out, "gateway=%s\n", g)
	}
	if dns := of(i.DNS, family, itself); len(dns) > 0 {
		fmt.Fprintf(&out, "dns=%s;\n", join(dns, ";"))
	}
	if len(i.Search) > 0 {
		fmt.Fprintf(&out, "dns-search=%s;\n", strings.Join(i.Search, ";"))
	}
	return out.String()
}

// connectionUUID is the same each time, so that a second run changes nothing. It
// has to differ from others of one machine alone.
func connectionUUID(id string) string {
	b := sha256.Sum256([]byte("ingot connection " + id))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80 // version 8 of RFC 9562, section 5.8
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// Profile is what is looked at in an existing keyfile.
type Profile struct {
	Ethernet, Port bool // Port: of a bond or bridge
	Name, MAC      string
}

// ParseKeyfile reads an existing keyfile, or as much of it as can be understood.
func ParseKeyfile(text []byte) Profile {
	var p Profile
	section := ""
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 1 && line[0] == '[' {
			section = string(bytes.Trim(line, "[]"))
			continue
		}
		key, value, _ := strings.Cut(string(line), "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch section + "." + key {
		case "connection.type":
			p.Ethernet = value == "ethernet" || value == "802-3-ethernet"
		case "connection.interface-name":
			p.Name = value
		case "connection.master", "connection.controller", "connection.slave-type", "connection.port-type":
			p.Port = p.Port || value != ""
		case "ethernet.mac-address", "802-3-ethernet.mac-address", "wifi.mac-address", "802-11-wireless.mac-address":
			p.MAC = value
		}
	}
	return p
}
