package profile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

func (c *checker) users(p *Profile) {
	first := map[string]int{}
	for i, u := range p.Users {
		path := fmt.Sprintf("users[%d]", i)
		if name := path + ".name"; c.given(name) {
			c.perOS(name, u.Name, linuxAccount, windowsAccount)
			key := strings.ToLower(u.Name)
			if j, twice := first[key]; twice {
				c.add(name, "the account %s is given twice, first in line %d: make one of them", shown(u.Name), c.doc.place(fmt.Sprintf("users[%d].name", j)).line)
			} else {
				first[key] = i
			}
		}
		if full := path + ".fullname"; c.given(full) && strings.Contains(u.FullName, ":") {
			c.add(full, "has a colon in it, which ends a field of /etc/passwd")
		}
		if c.os == OSWindows && c.given(path+".password.hash") {
			c.add(path+".password.hash", "Windows takes no hashes: give the password as file or plain")
		}
		for j, group := range u.Groups {
			if at := fmt.Sprintf("%s.groups[%d]", path, j); c.given(at) {
				c.perOS(at, group, linuxGroup, windowsGroup)
			}
		}
		c.keys(path+".keys", u.Keys)
	}
}

// keys checks lines of authorized_keys.
func (c *checker) keys(path string, lines []string) {
	for i, line := range lines {
		if at := fmt.Sprintf("%s[%d]", path, i); c.given(at) {
			if problem := keyProblem(line); problem != "" {
				c.add(at, "%s", problem)
			}
		}
	}
}

// perOS checks a value by the rules of the system, or of each of them while it is
// not known; one is enough then.
func (c *checker) perOS(path, value string, linux, windows func(string) string) {
	problem := linux(value)
	if c.os == OSWindows || c.os == AnyOS && problem != "" {
		other := windows(value)
		if c.os == OSWindows || other == "" || strings.ToLower(value) != value {
			problem = other // names of Linux have small letters
		}
	}
	if problem != "" {
		c.add(path, "%s", problem)
	}
}

// What useradd of Debian, Fedora, SUSE and Arch all take.
var linuxName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// systemAccounts are made by every distribution, and belong to it.
func systemAccounts() []string {
	return []string{"bin", "daemon", "sys", "sync", "games", "man", "lp", "mail", "news", "uucp", "proxy", "www-data", "backup", "list", "irc", "nobody", "messagebus", "sshd", "systemd-network", "systemd-resolve", "systemd-timesync", "polkitd", "dbus"}
}

func linuxAccount(name string) string {
	switch {
	case name == "root":
		return "root is not given here: linux.root and linux.root-keys say what it gets"
	case slices.Contains(systemAccounts(), name):
		return fmt.Sprintf("%s is an account of the system itself: choose another name", shown(name))
	case !linuxName.MatchString(name):
		return fmt.Sprintf("%s is no account name: a small letter or underscore, then small letters, digits, hyphens and underscores, at most 32", shown(name))
	}
	return ""
}

func linuxGroup(name string) string {
	if !linuxName.MatchString(name) {
		return fmt.Sprintf("%s is no group name: a small letter or underscore, then small letters, digits, hyphens and underscores, at most 32", shown(name))
	}
	return ""
}

// windowsReserved are built-in accounts and authorities; no account can have such
// a name.
func windowsReserved() []string {
	return []string{"guest", "defaultaccount", "wdagutilityaccount", "system", "local service", "network service", "none", "everyone", "users", "administrators"}
}

// notOfWindows are the characters that names of accounts and groups cannot hold
// (Microsoft's NetUserAdd, USER_INFO_1).
const notOfWindows = `"/\[]:;|=,+*?<>@`

func windowsAccount(name string) string {
	const most = 20 // LM20_UNLEN
	switch {
	case strings.EqualFold(name, "administrator"):
		return "Administrator is not given here: windows.administrator says what it gets"
	case slices.Contains(windowsReserved(), strings.ToLower(name)):
		return fmt.Sprintf("%s is an account of Windows itself: choose another name", shown(name))
	case len([]rune(name)) > most:
		return fmt.Sprintf("the account name %s is longer than %d characters", shown(name), most)
	}
	return windowsGroup(name)
}

func windowsGroup(name string) string {
	switch {
	case strings.ContainsAny(name, notOfWindows):
		return fmt.Sprintf("the name %s has one of %s in it, which Windows refuses", shown(name), notOfWindows)
	case strings.Trim(name, ". ") == "" || strings.HasSuffix(name, ".") || strings.TrimSpace(name) != name:
		return fmt.Sprintf("the name %s ends with a dot, or begins or ends with a blank", shown(name))
	}
	return ""
}
