package linux

import (
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
)

// family is a kind of distribution. Others ("") get what is the same everywhere.
type family string

const (
	debian family = "debian"
	fedora family = "fedora"
	suse   family = "suse"
	arch   family = "arch"
)

// families are the IDs of os-release(5) by the family that they belong to.
var families = map[string]family{
	"debian": debian, "ubuntu": debian, "raspbian": debian, "linuxmint": debian, "devuan": debian, "kali": debian,
	"fedora": fedora, "rhel": fedora, "centos": fedora, "rocky": fedora, "almalinux": fedora, "ol": fedora, "amzn": fedora,
	"suse": suse, "opensuse": suse, "sles": suse, "sled": suse, "opensuse-leap": suse, "opensuse-tumbleweed": suse,
	"arch": arch, "manjaro": arch, "endeavouros": arch,
}

// system is what was found about the image.
type system struct {
	family  family
	systemd bool
}

// identify reads os-release, where the distribution says what it is and what it is
// like.
func (m *machine) identify() (system, error) {
	var s system
	text, err := m.read("/etc/os-release")
	if text == nil && err == nil {
		text, err = m.read("/usr/lib/os-release")
	}
	if err != nil {
		return s, err
	}
	id, _ := shellvar.Get(text, "ID")
	like, _ := shellvar.Get(text, "ID_LIKE")
	for _, word := range append([]string{id}, strings.Fields(like)...) {
		if s.family = families[strings.ToLower(word)]; s.family != "" {
			break
		}
	}
	if s.family == "" {
		m.note("the distribution %.40q is not one that is known: only what is the same everywhere was changed", id)
	}
	s.systemd = m.exists("/usr/lib/systemd/systemd") || m.exists("/lib/systemd/systemd")
	return s, nil
}

// enabled reports whether systemd starts a unit.
func (m *machine) enabled(unit string) bool {
	for _, pattern := range []string{"/etc/systemd/system/*.wants", "/usr/lib/systemd/system/*.wants"} {
		for _, dir := range m.glob(pattern) {
			if _, there, err := m.lstat(dir + "/" + unit); there && err == nil {
				return true
			}
		}
	}
	return false
}

// program reports whether the image has a program in one of the usual folders.
func (m *machine) program(name string) bool {
	for _, dir := range []string{"/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"} {
		if e, there := m.stat(dir + name); there && e.mode.IsRegular() {
			return true
		}
	}
	return false
}

// relabel makes the system label its files anew, where files are new that SELinux
// knows no label of. What was replaced has kept its label.
func (m *machine) relabel() error {
	const flag = "/.autorelabel" // looked at by selinux-autorelabel-generator(8)
	text, err := m.read("/etc/selinux/config")
	if err != nil {
		return err
	}
	mode, _ := shellvar.Get(text, "SELINUX")
	if mode != "enforcing" && mode != "permissive" {
		return nil
	}
	for name, c := range m.changes {
		if (c.fresh || c.kind == linked || c.kind == copied) && c.kind != removed && name != flag {
			m.note("the system uses SELinux and got new files: it labels all files at its first boot, and starts once more")
			return m.write(flag, nil)
		}
	}
	return nil
}
