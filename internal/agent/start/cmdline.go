package start

import (
	"fmt"
	"net/netip"
	"strings"
)

// Params reads a kernel command line: words, of which some are KEY=VALUE and some
// quoted. A key that is there twice has its last value. Source: the kernel's
// Documentation/admin-guide/kernel-parameters.rst and lib/cmdline.c.
func Params(line string) map[string]string {
	params := map[string]string{}
	quoted := false
	for _, word := range strings.FieldsFunc(line, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t' || r == '\n')
	}) {
		key, value, _ := strings.Cut(word, "=")
		params[strings.Trim(key, `"`)] = strings.Trim(value, `"`)
	}
	return params
}

// Static is an address that somebody chose, instead of DHCP.
type Static struct {
	Device  string // "": the first interface with a cable
	Address netip.Prefix
	Gateway netip.Addr // invalid: none
	DNS     []netip.Addr
}

// ParseIP reads the parameter ip= as the kernel documents it
// (Documentation/admin-guide/nfs/nfsroot.rst):
//
//	client:server:gateway:netmask:hostname:device:autoconf:dns0:dns1:ntp0
//
// It returns nil for "dhcp", "on", "any", "" and the like, which are what happens
// anyway. The netmask may be a number of bits; in the address too: 10.0.0.9/24.
func ParseIP(value string) (*Static, error) {
	f := strings.Split(value, ":")
	if len(f) == 1 && !strings.Contains(value, ".") || f[0] == "" {
		return nil, nil
	}
	for len(f) < 9 {
		f = append(f, "")
	}
	wrong := func(err error) (*Static, error) { return nil, fmt.Errorf("kernel parameter ip=%s: %w", value, err) }
	s := &Static{Device: f[5]}
	var err error
	if s.Address, err = parsePrefix(f[0], f[3]); err != nil {
		return wrong(err)
	}
	if f[2] != "" {
		if s.Gateway, err = netip.ParseAddr(f[2]); err != nil {
			return wrong(err)
		}
	}
	for _, d := range f[7:min(9, len(f))] {
		if d == "" {
			continue
		}
		a, err := netip.ParseAddr(d)
		if err != nil {
			return wrong(err)
		}
		s.DNS = append(s.DNS, a)
	}
	return s, nil
}

// parsePrefix reads an IPv4 address and its netmask. Without one the address's old
// class decides, as it does in the kernel.
func parsePrefix(address, mask string) (netip.Prefix, error) {
	if strings.Contains(address, "/") {
		return netip.ParsePrefix(address)
	}
	a, err := netip.ParseAddr(address)
	if err != nil || !a.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is no IPv4 address", address)
	}
	bits := 24
	switch first := a.As4()[0]; {
	case first < 128:
		bits = 8
	case first < 192:
		bits = 16
	}
	if mask != "" {
		if bits, err = maskBits(mask); err != nil {
			return netip.Prefix{}, err
		}
	}
	return netip.PrefixFrom(a, bits), nil
}

func maskBits(mask string) (int, error) {
	var bits int
	if n, err := fmt.Sscanf(mask+".", "%d.", &bits); n == 1 && err == nil && !strings.Contains(mask, ".") && bits >= 0 && bits <= 32 {
		return bits, nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return 0, fmt.Errorf("%q is no netmask", mask)
	}
	b := m.As4()
	value := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for bits = 0; value<<bits != 0; bits++ {
		if value<<bits>>31 == 0 {
			return 0, fmt.Errorf("%q is no netmask", mask)
		}
	}
	return bits, nil
}
