package profile

import (
	"fmt"
	"net/netip"
	"strings"
)

func (c *checker) network(p *Profile) {
	first := map[string]string{} // what names an interface or an address → where it stands
	for i := range p.Network {
		n, path := &p.Network[i], fmt.Sprintf("network[%d]", i)
		if name := path + ".name"; c.given(name) {
			c.perOS(name, n.Name, linuxInterface, func(string) string { return "" })
			c.once(first, name, "interface "+n.Name)
		}
		if mac := path + ".mac"; c.given(mac) {
			n.MAC = macOf(n.MAC)
			if strings.ContainsRune("13579bdf", rune(n.MAC[1])) {
				c.add(mac, "%s is a group's address, which no interface has", n.MAC)
			}
			c.once(first, mac, "interface "+n.MAC)
		}
		own := c.addresses(path+".addresses", n.Addresses, first)
		c.gateway(path, n, own)
		for j, dns := range n.DNS {
			if at := fmt.Sprintf("%s.dns[%d]", path, j); c.given(at) {
				c.address(at, dns)
			}
		}
		for j, domain := range n.Search {
			if at := fmt.Sprintf("%s.search[%d]", path, j); c.given(at) {
				if problem := domainProblem(domain); problem != "" {
					c.add(at, "%s", problem)
				}
			}
		}
	}
}

// once reports what stands in the profile twice.
func (c *checker) once(first map[string]string, path, what string) {
	if before, twice := first[what]; twice {
		c.add(path, "%s is given twice, first in line %d: make one of them", what, c.doc.place(before).line)
		return
	}
	first[what] = path
}

// macOf is a hardware address with colons and small letters.
func macOf(s string) string {
	hex := strings.ToLower(strings.NewReplacer(":", "", "-", "").Replace(s))
	var bytes []string
	for i := 0; i+1 < len(hex); i += 2 {
		bytes = append(bytes, hex[i:i+2])
	}
	return strings.Join(bytes, ":")
}

// linuxInterface: IFNAMSIZ of <linux/if.h> is 16, with the NUL at the end.
func linuxInterface(name string) string {
	switch {
	case strings.Contains(name, " "):
		return fmt.Sprintf("the interface name %s has a blank in it", shown(name))
	case len(name) > 15:
		return fmt.Sprintf("the interface name %s is longer than 15 characters", shown(name))
	}
	return ""
}

// addresses checks an interface's own addresses and returns the good ones. Whether
// all of them could be looked at is told by their number.
func (c *checker) addresses(path string, addresses []string, first map[string]string) (own []netip.Prefix) {
	for i, text := range addresses {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !c.given(at) {
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if _, plain := netip.ParseAddr(text); plain == nil && !strings.Contains(text, "/") {
			c.add(at, "%s has no prefix length: write one, such as %s/24", text, text)
			continue
		}
		if err != nil {
			c.add(at, "%s is no address with a prefix length: want one such as 192.0.2.7/24 or 2001:db8::7/64", shown(text))
			continue
		}
		if problem := hostProblem(prefix); problem != "" {
			c.add(at, "%s %s", text, problem)
			continue
		}
		own = append(own, prefix)
		c.once(first, at, "address "+prefix.Addr().String())
	}
	return own
}

// hostProblem says why a machine cannot have the address of p, "" if it can.
func hostProblem(p netip.Prefix) string {
	a := p.Addr()
	switch {
	case p.Bits() == 0:
		return "has a prefix of 0: want the length of its network's prefix, such as 24"
	case a.IsUnspecified(), a.IsMulticast(), a.IsLoopback():
		return "cannot be an interface's address"
	case a.Is4() && p.Bits() < 31 && a == p.Masked().Addr():
		return "is the address of the network itself: want a machine's"
	case a.Is4() && p.Bits() < 31 && a == broadcast(p):
		return "is the broadcast address of its network: want a machine's"
	}
	return ""
}

// broadcast is the last address of an IPv4 network.
func broadcast(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for bit := p.Bits(); bit < 32; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	return netip.AddrFrom4(b)
}

func (c *checker) gateway(path string, n *Interface, own []netip.Prefix) {
	at := path + ".gateway"
	if !c.given(at) {
		return
	}
	if n.DHCP {
		c.add(at, "the DHCP server says which gateway there is: leave gateway out, or dhcp")
		return
	}
	gateway, ok := c.address(at, n.Gateway)
	if !ok || len(own) < len(n.Addresses) {
		return
	}
	reached := gateway.IsLinkLocalUnicast()
	for _, p := range own {
		if p.Addr() == gateway {
			c.add(at, "%s is the machine's own address", n.Gateway)
			return
		}
		reached = reached || p.Masked().Contains(gateway)
	}
	if !reached {
		c.add(at, "%s is in the network of none of the addresses", n.Gateway)
	}
}

// address checks the address of another machine.
func (c *checker) address(path, text string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil || a.Zone() != "":
		c.add(path, "%s is no address: want one such as 192.0.2.1 or 2001:db8::1", shown(text))
	case a.IsUnspecified(), a.IsMulticast():
		c.add(path, "%s is no machine's address", text)
	default:
		return a, true
	}
	return a, false
}
