package linux

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/account"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

var accountForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,31}$`)

// setUser makes or changes one user. A user that is there keeps its numbers and
// home. Groups must be there: a group that was mistyped, and made, would give
// nobody any rights.
func (m *machine) setUser(db *account.DB, u profile.User) (home, error) {
	if !accountForm.MatchString(u.Name) {
		return home{}, fmt.Errorf("it is no account name")
	}
	if u.Shell != "" {
		if e, there := m.stat(u.Shell); !path.IsAbs(u.Shell) || !there || !e.mode.IsRegular() {
			return home{}, fmt.Errorf("the image has no shell %q", u.Shell)
		}
	}
	user, there, err := db.Lookup(u.Name)
	if err != nil {
		return home{}, err
	}
	if there {
		err = m.changeUser(db, user, u)
	} else {
		user, err = m.addUser(db, u)
	}
	if err != nil {
		return home{}, err
	}
	if err := m.setPassword(db, u.Name, u.Password); err != nil {
		return home{}, err
	}
	for _, group := range u.Groups {
		if _, known, err := db.GroupID(group); err != nil || !known {
			return home{}, fmt.Errorf("the image has no group %q", group)
		}
		if err := db.Join(u.Name, group); err != nil {
			return home{}, err
		}
	}
	if u.Admin {
		if err := m.makeAdmin(db, u.Name); err != nil {
			return home{}, err
		}
	}
	return home{user: user, keys: u.Keys, fresh: !there}, nil
}

func (m *machine) addUser(db *account.DB, u profile.User) (account.User, error) {
	parent, shell, group, err := m.defaults()
	if err != nil {
		return account.User{}, err
	}
	if u.Shell != "" {
		shell = u.Shell
	}
	return db.Add(account.User{Name: u.Name, FullName: u.FullName, Home: path.Join(parent, u.Name), Shell: shell}, group)
}

// changeUser changes a user of the image. Without a password in the profile it has
// none any more: who knew the reference PC's does not get into every machine.
func (m *machine) changeUser(db *account.DB, user account.User, u profile.User) error {
	if user.UID < db.Limits.UIDMin && user.UID != 0 {
		m.note("the user %s is an account of the system itself, with the number %d; it was changed as the profile says", u.Name, user.UID)
	}
	if u.Password == (profile.Password{}) {
		locked, err := db.Lock(u.Name)
		if err != nil {
			return err
		}
		if locked {
			m.note("the password of %s, which the image has and the profile not, is locked now", u.Name)
		}
	}
	return db.Describe(u.Name, u.FullName, u.Shell)
}

// adminGroups are the groups that may use sudo, the distribution's own first.
func (m *machine) adminGroups() []string {
	if m.system.family == debian {
		return []string{"sudo", "wheel"}
	}
	return []string{"wheel", "sudo"}
}

// makeAdmin puts a user into the group of administrators, and makes sudo know that
// group where it does not yet.
func (m *machine) makeAdmin(db *account.DB, user string) error {
	groups := m.adminGroups()
	group := groups[0]
	for _, g := range groups {
		if _, there, err := db.GroupID(g); err == nil && there {
			group = g
			break
		}
	}
	if made, err := db.EnsureGroup(group); err != nil {
		return err
	} else if made {
		m.note("the group %s was made for the administrator %s", group, user)
	}
	if err := db.Join(user, group); err != nil {
		return err
	}
	if !m.exists("/etc/sudoers") {
		if !m.program("sudo") && !m.program("doas") {
			m.note("%s is in the group %s, but the image has no sudo that would give rights to it", user, group)
			return nil
		}
	}
	return m.allowSudo(group)
}

// allowSudo lets a group use sudo, where no rule does so.
func (m *machine) allowSudo(group string) error {
	const file = "/etc/sudoers.d/ingot-admin"
	includes := false
	for _, name := range append([]string{"/usr/etc/sudoers", "/etc/sudoers"}, m.glob("/etc/sudoers.d/*")...) {
		text, err := m.read(name)
		if err != nil {
			return err
		}
		for line := range strings.Lines(string(text)) {
			f := strings.Fields(line)
			if len(f) >= 2 && f[0] == "%"+group && name != file {
				return nil
			}
			includes = includes || len(f) == 2 && strings.HasSuffix(f[0], "includedir") && path.Clean(f[1]) == "/etc/sudoers.d"
		}
	}
	if !includes {
		m.note("no rule of sudo is for the group %s, and /etc/sudoers does not read /etc/sudoers.d: administrators have to be allowed there", group)
		return nil
	}
	if err := m.mkdir("/etc/sudoers.d", rootfs.Attr{Mode: 0o750}); err != nil {
		return err
	}
	return m.writeAs(file, []byte("# written by ingot\n%"+group+" ALL=(ALL:ALL) ALL\n"), rootfs.Attr{Mode: 0o440})
}
