package linux

import (
	"fmt"
	"time"

	"github.com/ingot-imaging/ingot/internal/customise/linux/account"
	"github.com/ingot-imaging/ingot/internal/customise/linux/shacrypt"
	"github.com/ingot-imaging/ingot/internal/customise/linux/shellvar"
	"github.com/ingot-imaging/ingot/internal/profile"
)

// tables are the files of accounts.
var tables = []struct {
	name   string
	fields int
	of     func(*account.DB) **account.Table
}{
	{"/etc/passwd", account.PasswdFields, func(db *account.DB) **account.Table { return &db.Passwd }},
	{"/etc/shadow", account.ShadowFields, func(db *account.DB) **account.Table { return &db.Shadow }},
	{"/etc/group", account.GroupFields, func(db *account.DB) **account.Table { return &db.Group }},
	{"/etc/gshadow", account.GShadowFields, func(db *account.DB) **account.Table { return &db.GShadow }},
	{"/etc/subuid", account.SubIDFields, func(db *account.DB) **account.Table { return &db.SubUID }},
	{"/etc/subgid", account.SubIDFields, func(db *account.DB) **account.Table { return &db.SubGID }},
}

// accounts reads the accounts of the image.
func (m *machine) accounts() (*account.DB, error) {
	db := &account.DB{Today: today()}
	for _, t := range tables {
		text, err := m.read(t.name)
		if err != nil {
			return nil, err
		}
		if text == nil {
			continue
		}
		if *t.of(db), err = account.Parse(t.name, text, t.fields); err != nil {
			return nil, err
		}
	}
	if db.Passwd == nil || db.Group == nil {
		return nil, fmt.Errorf("the system has no /etc/passwd or no /etc/group")
	}
	var texts [][]byte
	for _, name := range []string{"/usr/etc/login.defs", "/etc/login.defs"} { // SUSE has its own below /usr
		text, err := m.read(name)
		if err != nil {
			return nil, err
		}
		texts = append(texts, text)
	}
	db.Limits = account.ParseLimits(texts...)
	return db, nil
}

// today is a day as shadow(5) counts them; 0 on a host whose clock was never set,
// since a password of 1970 has to be changed at once.
func today() int {
	const day, year2020 = 24 * 60 * 60, 18262
	if now := int(time.Now().Unix() / day); now > year2020 {
		return now
	}
	return 0
}

// setAccounts edits the tables for all users together, then what lies in their
// homes.
func (m *machine) setAccounts() error {
	s := m.job.Settings
	if len(s.Users) == 0 && s.Linux.Root == (profile.Password{}) && len(s.Linux.RootKeys) == 0 {
		return nil
	}
	db, err := m.accounts()
	if err != nil {
		return err
	}
	var homes []home
	if err := m.setPassword(db, "root", s.Linux.Root); err != nil {
		return fmt.Errorf("root: %w", err)
	}
	if len(s.Linux.RootKeys) > 0 {
		root, there, err := db.Lookup("root")
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("root: the system has no such user")
		}
		homes = append(homes, home{user: root, keys: s.Linux.RootKeys})
	}
	for _, u := range s.Users {
		h, err := m.setUser(db, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.Name, err)
		}
		homes = append(homes, h)
	}
	for _, t := range tables {
		if table := *t.of(db); table != nil {
			if err := m.write(t.name, table.Bytes()); err != nil {
				return err
			}
		}
	}
	for _, h := range homes {
		if err := m.fillHome(h, db.Limits); err != nil {
			return fmt.Errorf("home of %s: %w", h.user.Name, err)
		}
	}
	return nil
}

// setPassword sets a password, if one is given, unless it is that already.
func (m *machine) setPassword(db *account.DB, name string, p profile.Password) error {
	hash := p.Hash.Reveal()
	now, err := db.Password(name)
	if err != nil {
		return err
	}
	switch plain := p.Plain.Reveal(); {
	case hash != "":
		if err := account.CheckHash(hash); err != nil {
			return fmt.Errorf("the password's hash: %w", err)
		}
	case plain == "" || shacrypt.Matches(plain, now):
		return nil
	default:
		if hash, err = shacrypt.New(plain, m.job.Rand); err != nil {
			return err
		}
	}
	if hash == now {
		return nil
	}
	return db.SetPassword(name, hash)
}

// defaults is useradd's: home's parent, shell and group of new users.
func (m *machine) defaults() (parent, shell, group string, err error) {
	parent, shell, group = "/home", "/bin/sh", "users"
	if m.exists("/bin/bash") {
		shell = "/bin/bash"
	}
	for _, name := range []string{"/usr/etc/default/useradd", "/etc/default/useradd"} {
		text, err := m.read(name)
		if err != nil {
			return "", "", "", err
		}
		if v, ok := shellvar.Get(text, "HOME"); ok && len(v) > 1 && v[0] == '/' {
			parent = v
		}
		if v, ok := shellvar.Get(text, "SHELL"); ok && v != "/bin/sh" && m.exists(v) {
			shell = v
		}
	}
	return parent, shell, group, nil
}
