package linux

import (
	"bytes"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/account"
	"github.com/ingot-imaging/ingot/internal/rootfs"
	"golang.org/x/crypto/ssh"
)

// home is what a user's home gets.
type home struct {
	user  account.User
	keys  []string
	fresh bool // the user was made: its home is a copy of /etc/skel
}

// fillHome makes the home of a new user, and adds keys to it.
func (m *machine) fillHome(h home, limits account.Limits) error {
	dir := path.Clean("/" + h.user.Home)
	if dir == "/" && len(h.keys) > 0 {
		return fmt.Errorf("it is %q, where no keys can be", h.user.Home)
	}
	switch {
	case !h.fresh && len(h.keys) == 0:
		return nil
	case h.fresh && m.exists(dir):
		m.note("%s was there before its user %s; what is in it was left, to whom it belongs", dir, h.user.Name)
	case h.fresh:
		if err := m.copySkel(dir, h.user, limits.HomeMode); err != nil {
			return err
		}
	}
	if len(h.keys) == 0 {
		return nil
	}
	return m.addKeys(dir, h)
}

func ownedBy(u account.User, mode fs.FileMode) rootfs.Attr {
	return rootfs.Attr{Mode: mode, UID: u.UID, GID: u.GID}
}

// copySkel makes a home like useradd(8) does.
func (m *machine) copySkel(dir string, u account.User, mode uint32) error {
	if err := m.mkdir(dir, ownedBy(u, fs.FileMode(mode))); err != nil {
		return err
	}
	entries := 0
	var walk func(from, to string, depth int) error
	walk = func(from, to string, depth int) error {
		names, err := m.list(from)
		if err != nil {
			return err
		}
		for _, name := range names {
			if entries++; entries > maxEntries || depth > maxDepth {
				return fmt.Errorf("/etc/skel holds more than can be right")
			}
			if err := m.copySkelEntry(path.Join(from, name), path.Join(to, name), u); err != nil {
				return err
			}
			if e, _, _ := m.lstat(path.Join(from, name)); e.mode.IsDir() {
				if err := walk(path.Join(from, name), path.Join(to, name), depth+1); err != nil {
					return err
				}
			}
		}
		return nil
	}
	skel, err := m.real("/etc/skel")
	if err != nil {
		return err
	}
	return walk(skel, dir, 0)
}

// copySkelEntry copies one file, folder or link; links stay links.
func (m *machine) copySkelEntry(from, to string, u account.User) error {
	e, there, err := m.lstat(from)
	if !there || err != nil {
		return err
	}
	attr := ownedBy(u, e.mode&fs.ModePerm)
	switch e.mode.Type() {
	case 0:
		return m.stageCopy(to, source{image: from}, attr)
	case fs.ModeDir:
		return m.mkdir(to, attr)
	case fs.ModeSymlink:
		target, err := m.readlink(from)
		if err != nil {
			return err
		}
		return m.link(target, to, rootfs.Owner{UID: u.UID, GID: u.GID})
	}
	m.note("%s was not copied to %s: it is no file, folder or link", from, path.Dir(to))
	return nil
}

// addKeys adds keys to authorized_keys that are not in it.
func (m *machine) addKeys(dir string, h home) error {
	for _, key := range h.keys {
		if strings.ContainsFunc(key, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("an SSH key has a line break or another control character in it")
		}
		if _, _, _, _, err := ssh.ParseAuthorizedKey([]byte(key)); err != nil {
			return fmt.Errorf("the SSH key that begins with %.30q: %w", key, err)
		}
	}
	if err := m.mkdir(dir, ownedBy(h.user, 0o700)); err != nil {
		return err
	}
	if err := m.mkdir(dir+"/.ssh", ownedBy(h.user, 0o700)); err != nil {
		return err
	}
	file := dir + "/.ssh/authorized_keys"
	text, err := m.read(file)
	if err != nil {
		return err
	}
	text = slices.Clone(text)
	there := strings.Split(string(text), "\n")
	for _, key := range h.keys {
		if slices.Contains(there, key) {
			continue
		}
		if len(text) > 0 && !bytes.HasSuffix(text, []byte("\n")) {
			text = append(text, '\n')
		}
		text = append(text, key+"\n"...)
	}
	return m.writeAs(file, text, ownedBy(h.user, 0o600))
}
