package linux

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-imaging/ingot/internal/customise/linux/account"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/rootfs"
)

// windowsPath is a path with a drive: of a profile for both systems.
var windowsPath = regexp.MustCompile(`^[A-Za-z]:`)

// addFiles adds what the profile gives. Owners are looked up in the image, after
// its accounts were changed.
func (m *machine) addFiles() error {
	for _, f := range m.job.Settings.Files {
		if windowsPath.MatchString(f.Path) {
			continue
		}
		if err := m.addFile(f); err != nil {
			return fmt.Errorf("%.200q: %w", f.Path, err)
		}
	}
	return nil
}

func (m *machine) addFile(f profile.File) error {
	if !path.IsAbs(f.Path) || path.Clean(f.Path) == "/" || slices.Contains(strings.Split(f.Path, "/"), "..") || hasControl(f.Path) {
		return fmt.Errorf("it is no absolute path below /, without .. and control characters")
	}
	owner, err := m.owner(f.Owner)
	if err != nil {
		return err
	}
	mode, explicit, err := parseMode(f.Mode)
	if err != nil {
		return err
	}
	attr := rootfs.Attr{Mode: mode, UID: owner.UID, GID: owner.GID}
	if f.Source == "" {
		return m.writeAs(f.Path, []byte(f.Content), attr)
	}
	info, err := os.Stat(f.Source)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return m.addFolder(f.Path, f.Source, attr, explicit)
	}
	if !explicit {
		attr.Mode = info.Mode() & fs.ModePerm
	}
	return m.stageCopy(f.Path, source{host: f.Source}, attr)
}

// addFolder copies a folder of this host: into one that is there, if there is one.
// A mode that is given is that of its files.
func (m *machine) addFolder(to, from string, attr rootfs.Attr, explicit bool) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, name)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		a, at := attr, path.Join(to, filepath.ToSlash(rel))
		if hasControl(at) {
			return fmt.Errorf("%q has a control character in its name", name)
		}
		if !explicit || d.IsDir() {
			a.Mode = info.Mode() & fs.ModePerm
		}
		switch {
		case rel == ".":
			a.Mode = 0o755 // of the folder that it becomes; the host's may be a temporary one
			return m.mkdir(at, a)
		case d.IsDir():
			return m.mkdir(at, a)
		case d.Type() == fs.ModeSymlink:
			target, err := os.Readlink(name)
			if err != nil {
				return err
			}
			return m.link(target, at, rootfs.Owner{UID: a.UID, GID: a.GID})
		}
		return m.stageCopy(at, source{host: name}, a)
	})
}

// parseMode reads an octal mode; 0644 when none is given.
func parseMode(s string) (mode fs.FileMode, explicit bool, err error) {
	if s == "" {
		return 0o644, false, nil
	}
	bits, err := strconv.ParseUint(s, 8, 12)
	if err != nil {
		return 0, false, fmt.Errorf("%q is no mode in octal", s)
	}
	mode = fs.FileMode(bits & 0o777)
	for bit, flag := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if bits&bit != 0 {
			mode |= flag
		}
	}
	return mode, true, nil
}

// owner finds "user:group", by name or number, in the image. Without a group it is
// the user's own.
func (m *machine) owner(s string) (rootfs.Owner, error) {
	var o rootfs.Owner
	if s == "" {
		return o, nil
	}
	db, err := m.accounts()
	if err != nil {
		return o, err
	}
	user, group, both := strings.Cut(s, ":")
	if o.UID, o.GID, err = userID(db, user); err != nil {
		return o, err
	}
	if both {
		o.GID, err = groupID(db, group)
	}
	return o, err
}

func userID(db *account.DB, name string) (uid, gid int, err error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), int(n), nil
	}
	u, there, err := db.Lookup(name)
	if err != nil {
		return 0, 0, err
	}
	if !there {
		return 0, 0, fmt.Errorf("the image has no user %q", name)
	}
	return u.UID, u.GID, nil
}

func groupID(db *account.DB, name string) (int, error) {
	if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(n), nil
	}
	gid, there, err := db.GroupID(name)
	if err != nil {
		return 0, err
	}
	if !there {
		return 0, fmt.Errorf("the image has no group %q", name)
	}
	return gid, nil
}

func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
