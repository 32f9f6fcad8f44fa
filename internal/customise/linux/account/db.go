package account

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// DB is the accounts of a system. Tables that the system does not have are nil;
// Passwd and Group must be there.
type DB struct {
	Passwd, Shadow, Group, GShadow, SubUID, SubGID *Table
	Limits                                         Limits
	Today                                          int // days since 1970, for the age of passwords; 0: not known
}

// User is a line of passwd.
type User struct {
	Name, FullName, Home, Shell string
	UID, GID                    int
}

// Lookup finds a user; the second value is false when there is none.
func (db *DB) Lookup(name string) (User, bool, error) {
	f, err := db.Passwd.Get(name)
	if f == nil || err != nil {
		return User{}, false, err
	}
	uid, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return User{}, false, fmt.Errorf("passwd: the user number of %q is %q", name, f[2])
	}
	gid, err := strconv.ParseUint(f[3], 10, 32)
	if err != nil {
		return User{}, false, fmt.Errorf("passwd: the group number of %q is %q", name, f[3])
	}
	full, _, _ := strings.Cut(f[4], ",")
	return User{f[0], full, f[5], f[6], int(uid), int(gid)}, true, nil
}

// GroupID finds a group's number; the second value is false when there is none.
func (db *DB) GroupID(name string) (int, bool, error) {
	f, err := db.Group.Get(name)
	if f == nil || err != nil {
		return 0, false, err
	}
	gid, err := strconv.ParseUint(f[2], 10, 32)
	if err != nil {
		return 0, false, fmt.Errorf("group: the number of %q is %q", name, f[2])
	}
	return int(gid), true, nil
}

// Add makes a user with a locked password and returns it with its numbers: a user
// number that no user has, and a group of its own with the same number if that is
// free; where the system has no such groups, primary.
func (db *DB) Add(u User, primary string) (User, error) {
	uid, err := free(db.Limits.UIDMin, db.Limits.UIDMax, taken(db.Passwd))
	if err != nil {
		return u, fmt.Errorf("passwd: no user number is free for %s: %w", u.Name, err)
	}
	u.UID = uid
	gid, there, err := db.GroupID(u.Name)
	if !db.Limits.UserGroups && !there {
		gid, there, err = db.GroupID(primary)
	}
	if err != nil {
		return u, err
	}
	if !there {
		if gid, err = db.addGroup(u.Name, uid, db.Limits.GIDMin, db.Limits.GIDMax); err != nil {
			return u, err
		}
	}
	u.GID = gid
	if err := db.Passwd.Set([]string{u.Name, "x", strconv.Itoa(u.UID), strconv.Itoa(u.GID), u.FullName, u.Home, u.Shell}); err != nil {
		return u, err
	}
	if err := db.SetPassword(u.Name, "!"); err != nil {
		return u, err
	}
	return u, db.addSubIDs(u.Name)
}

// Describe changes full name and shell of a user; "" leaves them.
func (db *DB) Describe(name, fullName, shell string) error {
	f, err := db.Passwd.Get(name)
	if f == nil || err != nil {
		return err
	}
	if fullName != "" {
		_, rest, more := strings.Cut(f[4], ",")
		f[4] = fullName
		if more {
			f[4] += "," + rest
		}
	}
	if shell != "" {
		f[6] = shell
	}
	return db.Passwd.Set(f)
}

// EnsureGroup makes a system group that is not there; the value says so.
func (db *DB) EnsureGroup(name string) (made bool, err error) {
	_, there, err := db.GroupID(name)
	if there || err != nil {
		return false, err
	}
	_, err = db.addGroup(name, 0, db.Limits.SysGIDMin, db.Limits.SysGIDMax)
	return err == nil, err
}

// addGroup makes a group with the number wanted, or one between low and high.
func (db *DB) addGroup(name string, wanted, low, high int) (int, error) {
	used := taken(db.Group)
	gid := wanted
	if gid == 0 || used[gid] {
		var err error
		if gid, err = free(low, high, used); err != nil {
			return 0, fmt.Errorf("group: no number is free for %s: %w", name, err)
		}
	}
	if err := db.Group.Set([]string{name, "x", strconv.Itoa(gid), ""}); err != nil {
		return 0, err
	}
	if db.GShadow == nil {
		return gid, nil
	}
	return gid, db.GShadow.Set([]string{name, "!", "", ""})
}

// Join makes a user a member of a group that is there.
func (db *DB) Join(user, group string) error {
	for _, t := range []*Table{db.Group, db.GShadow} {
		if t == nil {
			continue
		}
		f, err := t.Get(group)
		if err != nil {
			return err
		}
		if f == nil {
			continue // gshadow may lack a group
		}
		members := strings.Split(f[3], ",")
		if slices.Contains(members, user) {
			continue
		}
		if f[3] != "" {
			f[3] += ","
		}
		f[3] += user
		if err := t.Set(f); err != nil {
			return err
		}
	}
	return nil
}

// taken are the numbers in the third field.
func taken(t *Table) map[int]bool {
	used := map[int]bool{}
	for _, f := range t.All() {
		if n, err := strconv.Atoi(f[2]); err == nil {
			used[n] = true
		}
	}
	return used
}

// free returns the number after the highest that is used between low and high, or
// the first that is free: numbers of users that were deleted are not given away
// while there are others, since files may still belong to them.
func free(low, high int, used map[int]bool) (int, error) {
	next := low
	for n := range used {
		if n >= next && n <= high {
			next = n + 1
		}
	}
	for n := low; next > high && n <= high; n++ {
		if !used[n] {
			next = n
		}
	}
	if next > high {
		return 0, fmt.Errorf("all between %d and %d are taken", low, high)
	}
	return next, nil
}

// addSubIDs gives a user a range of subordinate numbers, where the system has
// such ranges.
func (db *DB) addSubIDs(name string) error {
	for _, t := range []*Table{db.SubUID, db.SubGID} {
		if t == nil {
			continue
		}
		start := db.Limits.SubMin
		for _, f := range t.All() {
			first, err1 := strconv.Atoi(f[1])
			count, err2 := strconv.Atoi(f[2])
			if err1 == nil && err2 == nil && first >= 0 && first <= maxID && count >= 0 && count <= maxID {
				start = max(start, first+count)
			}
		}
		there, err := t.Get(name)
		if there != nil || err != nil {
			return err
		}
		if start > maxID-db.Limits.SubCount {
			return fmt.Errorf("%s: no range is free for %s", t.name, name)
		}
		if err := t.Set([]string{name, strconv.Itoa(start), strconv.Itoa(db.Limits.SubCount)}); err != nil {
			return err
		}
	}
	return nil
}
