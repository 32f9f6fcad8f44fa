package profile

import (
	"fmt"
	"strings"
)

const (
	maxLabel   = 63 // characters of a DNS label, RFC 1035 section 2.3.4
	maxNetBIOS = 15 // characters of a NetBIOS name, RFC 1001 section 14; the 16th is its type
)

// mostHostname is how long a host name may be. Windows makes the NetBIOS name of
// it, and refuses to start its second phase of setup with a longer one.
func mostHostname(os OS) int {
	if os == OSWindows {
		return maxNetBIOS
	}
	return maxLabel
}

// hostnameProblem says what is wrong with a host name, "" for nothing. The letters,
// digits and hyphens of DNS (RFC 1123 section 2.1) are what NetBIOS takes as well.
func hostnameProblem(name string, os OS) string {
	switch {
	case name == "":
		return "the host name is empty"
	case strings.ContainsFunc(name, notOfHostname):
		return fmt.Sprintf("%s is no host name: only letters a to z, digits and hyphens; a domain does not belong to it", shown(name))
	case len(name) > mostHostname(os) && os == OSWindows:
		return fmt.Sprintf("the host name %s has %d characters, Windows takes %d (NetBIOS): shorten it, for instance with a slice as in {serial:-6}", shown(name), len(name), maxNetBIOS)
	case len(name) > mostHostname(os):
		return fmt.Sprintf("the host name %s has %d characters, DNS takes %d: shorten it, for instance with a slice as in {serial:-6}", shown(name), len(name), maxLabel)
	case name[0] == '-' || name[len(name)-1] == '-':
		return fmt.Sprintf("the host name %s begins or ends with a hyphen", shown(name))
	case strings.Trim(name, "0123456789") == "":
		return fmt.Sprintf("the host name %s has digits only: put a letter into it", shown(name))
	case strings.EqualFold(name, "localhost"):
		return "the host name localhost stands for every machine: choose another"
	}
	return ""
}

func notOfHostname(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

// ofHostname is value without what a host name cannot hold.
func ofHostname(value string) string {
	return strings.Map(func(r rune) rune {
		if notOfHostname(r) {
			return -1
		}
		return r
	}, value)
}

// nameLiteral checks what a pattern of host names says itself.
func (c *checker) nameLiteral(p pattern) {
	literal := p.literal()
	switch {
	case !p.open():
		if problem := hostnameProblem(literal, c.os); problem != "" {
			c.add("name", "%s", problem)
		}
	case strings.ContainsFunc(literal, notOfHostname):
		c.add("name", "%s cannot stand in a host name: only letters a to z, digits and hyphens", shown(strings.Map(onlyBad, literal)))
	case p[0].text[0] == '-' || strings.HasSuffix(p[len(p)-1].text, "-"):
		c.add("name", "begins or ends with a hyphen, which no host name does")
	case len(literal) >= mostHostname(c.os):
		c.add("name", "leaves no room for its placeholders: a host name has at most %d characters", mostHostname(c.os))
	}
}

func onlyBad(r rune) rune {
	if notOfHostname(r) {
		return r
	}
	return -1
}

// domainProblem says what is wrong with a domain's DNS name, "" for nothing.
func domainProblem(name string) string {
	if len(name) > 253 {
		return fmt.Sprintf("the domain name %s is longer than 253 characters", shown(name))
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > maxLabel || strings.ContainsFunc(label, notOfHostname) || label[0] == '-' || label[len(label)-1] == '-' {
			return fmt.Sprintf("%s is no domain name: want one such as example.org", shown(name))
		}
	}
	return ""
}
