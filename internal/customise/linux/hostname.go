package linux

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

// hostnameForm is RFC 1123, section 2.1; the length is Linux' (HOST_NAME_MAX).
var hostnameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$`)

const maxHostname = 64

// setHostname writes the name everywhere where the old one is the machine's own.
func (m *machine) setHostname() error {
	name := m.job.Settings.Hostname
	if name == "" {
		return nil
	}
	if !hostnameForm.MatchString(name) || len(name) > maxHostname {
		return fmt.Errorf("%q is no host name", name)
	}
	text, err := m.read("/etc/hostname")
	if err != nil {
		return err
	}
	old := firstWord(text)
	if old != name || text == nil {
		if err := m.write("/etc/hostname", []byte(name+"\n")); err != nil {
			return err
		}
	}
	if err := m.setHosts(old, name); err != nil {
		return err
	}
	rename := func(text []byte) []byte {
		if now, is := renamed(firstWord(text), old, name); is {
			return []byte(now + "\n")
		}
		return text
	}
	if err := m.edit("/etc/mailname", rename); err != nil {
		return err
	}
	if err := m.edit("/etc/HOSTNAME", func([]byte) []byte { return []byte(name + "\n") }); err != nil { // SUSE, older ones
		return err
	}
	return m.edit("/etc/sysconfig/network", func(text []byte) []byte { // RHEL up to 6
		if _, set := shellvar.Get(text, "HOSTNAME"); !set {
			return text
		}
		return shellvar.Set(text, "HOSTNAME", name)
	})
}

// firstWord is what hostname(5) takes of a file.
func firstWord(text []byte) string {
	for line := range bytes.Lines(text) {
		line = bytes.TrimSpace(line)
		if len(line) > 0 && line[0] != '#' {
			return string(line)
		}
	}
	return ""
}

// renamed returns what a word is after the machine's old name became another: the
// first part of a name alone, or with a domain behind it.
func renamed(word, old, name string) (string, bool) {
	oldHost, _, _ := strings.Cut(old, ".")
	host, _, domain := strings.Cut(name, ".")
	if oldHost == "" || strings.EqualFold(oldHost, "localhost") || len(word) < len(oldHost) || !strings.EqualFold(word[:len(oldHost)], oldHost) {
		return word, false
	}
	switch rest := word[len(oldHost):]; {
	case rest == "":
		return host, true
	case rest[0] != '.':
		return word, false
	case domain:
		return name, true
	default:
		return host + rest, true
	}
}

// ownAddress are the addresses of hosts(5) under which a machine finds itself. A
// line with another address is about the network, where the old name may still be
// the reference PC's.
var ownAddress = regexp.MustCompile(`^(127\.[0-9.]+|::1)$`)

// maxHostsLine is longer than a line that a resolver reads whole.
const maxHostsLine = 4096

func (m *machine) setHosts(old, name string) error {
	text, err := m.read("/etc/hosts")
	if err != nil {
		return err
	}
	if text == nil {
		text = []byte("127.0.0.1\tlocalhost\n")
	}
	lines := strings.SplitAfter(string(text), "\n")
	known := false
	for i, line := range lines {
		body, comment, hash := strings.Cut(line, "#")
		f := strings.Fields(body)
		if len(f) < 2 || len(line) > maxHostsLine {
			continue
		}
		own := ownAddress.MatchString(f[0])
		for _, word := range f[1:] {
			now, is := renamed(word, old, name)
			switch {
			case is && own:
				body = replaceWord(body, word, now)
			case is:
				m.note("/etc/hosts still gives the name %.64q the address %.45q, which is not this machine's own", word, f[0])
			}
			known = known || own && strings.EqualFold(now, name)
		}
		if hash {
			body += "#" + comment
		}
		lines[i] = body
	}
	if m.system.family == debian && !known {
		lines = slices.Insert(lines, afterLocalhost(lines), "127.0.1.1\t"+aliases(name)+"\n")
	}
	if now := strings.Join(lines, ""); now != string(text) {
		return m.write("/etc/hosts", []byte(now))
	}
	return nil
}

// aliases are a name and, if it has a domain, its first part.
func aliases(name string) string {
	if short, _, domain := strings.Cut(name, "."); domain {
		return name + " " + short
	}
	return name
}

// afterLocalhost is where Debian's own line stands.
func afterLocalhost(lines []string) int {
	for i, line := range lines {
		if f := strings.Fields(line); len(f) > 0 && f[0] == "127.0.0.1" && strings.HasSuffix(line, "\n") {
			return i + 1
		}
	}
	return 0
}

// replaceWord replaces a word between blanks and leaves all blanks as they are.
func replaceWord(s, word, now string) string {
	blank := func(i int) bool { return i < 0 || i >= len(s) || strings.IndexByte(" \t\r\n", s[i]) >= 0 }
	for from := 0; ; {
		i := strings.Index(s[from:], word)
		if i < 0 {
			return s
		}
		i += from
		if blank(i-1) && blank(i+len(word)) {
			s = s[:i] + now + s[i+len(word):]
			from = i + len(now)
			continue
		}
		from = i + 1
	}
}
