// Package network writes what a profile says about interfaces in the languages of
// Linux's network programs: NetworkManager, netplan, systemd-networkd, ifupdown.
//
// It owns these languages, values in and text out, and what in existing files
// would stand against it. Which of them a system uses is not its business.
// Start at Parse, then Keyfile, Netplan, Networkd or Ifupdown.
package network

import (
	"fmt"
	"net/netip"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/profile"
)

// Interface is a checked profile.Interface: nothing in it means anything to any
// of the languages but itself.
type Interface struct {
	Name      string // of the kernel, may hold * and ?; "" when MAC is set
	MAC       string // lower case, with colons
	DHCP      bool
	Addresses []netip.Prefix
	Gateways  []netip.Addr
	DNS       []netip.Addr
	Search    []string
}

var (
	nameForm   = regexp.MustCompile(`^[A-Za-z0-9*?][A-Za-z0-9*?._-]{0,14}$`) // IFNAMSIZ is 16, with a zero byte
	macForm    = regexp.MustCompile(`^([0-9a-f]{2}:){5}[0-9a-f]{2}$`)
	domainForm = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)
)

// Parse checks interfaces once more, since what they hold goes into five
// languages.
func Parse(list []profile.Interface) ([]Interface, error) {
	var all []Interface
	for _, p := range list {
		i, err := parse(p)
		if err != nil {
			return nil, fmt.Errorf("network interface %q: %w", p.Name+p.MAC, err)
		}
		all = append(all, i)
	}
	return all, nil
}

func parse(p profile.Interface) (Interface, error) {
	i := Interface{Name: p.Name, MAC: strings.ToLower(strings.ReplaceAll(p.MAC, "-", ":")), DHCP: p.DHCP, Search: p.Search}
	switch {
	case i.MAC != "":
		i.Name = ""
		if !macForm.MatchString(i.MAC) {
			return i, fmt.Errorf("%q is no hardware address", p.MAC)
		}
	case !nameForm.MatchString(i.Name):
		return i, fmt.Errorf("%q is no name of an interface, nor a pattern for one", p.Name)
	}
	for _, text := range p.Addresses {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return i, err
		}
		i.Addresses = append(i.Addresses, prefix)
	}
	if p.Gateway != "" {
		gateway, err := netip.ParseAddr(p.Gateway)
		if err != nil || gateway.Zone() != "" {
			return i, fmt.Errorf("%q is no address of a gateway", p.Gateway)
		}
		i.Gateways = append(i.Gateways, gateway)
	}
	for _, text := range p.DNS {
		dns, err := netip.ParseAddr(text)
		if err != nil || dns.Zone() != "" {
			return i, fmt.Errorf("%q is no address of a name server", text)
		}
		i.DNS = append(i.DNS, dns)
	}
	for _, domain := range p.Search {
		if !domainForm.MatchString(domain) {
			return i, fmt.Errorf("%q is no domain", domain)
		}
	}
	return i, nil
}

// glob reports whether the name is a pattern.
func (i Interface) glob() bool { return strings.ContainsAny(i.Name, "*?") }

// Matches reports whether the interface that an existing configuration calls
// name, or knows by mac, is meant by i.
func (i Interface) Matches(name, mac string) bool {
	if i.MAC != "" {
		return strings.EqualFold(i.MAC, mac)
	}
	ok, err := path.Match(i.Name, name)
	return ok && err == nil
}

// of returns the addresses of one family, 4 or 6.
func of[T any](list []T, family int, addr func(T) netip.Addr) []T {
	var some []T
	for _, x := range list {
		if addr(x).Is4() == (family == 4) {
			some = append(some, x)
		}
	}
	return some
}

func itself(a netip.Addr) netip.Addr { return a }

// join writes values with a separator between them.
func join[T fmt.Stringer](list []T, separator string) string {
	var texts []string
	for _, x := range list {
		texts = append(texts, x.String())
	}
	return strings.Join(texts, separator)
}

// Resolver is resolv.conf(5) for fixed name servers; nil when there are none.
func Resolver(list []Interface) []byte {
	var servers []netip.Addr
	var search []string
	for _, i := range list {
		servers, search = append(servers, i.DNS...), append(search, i.Search...)
	}
	if len(servers) == 0 {
		return nil
	}
	var out strings.Builder
	out.WriteString("# written by ingot\n")
	if len(search) > 0 {
		fmt.Fprintf(&out, "search %s\n", strings.Join(search, " "))
	}
	for _, s := range servers {
		fmt.Fprintf(&out, "nameserver %s\n", s)
	}
	return []byte(out.String())
}
