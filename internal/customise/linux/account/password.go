package account

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// crypted is what crypt(5) calls a hash: a method, its parameters and the hash.
var crypted = regexp.MustCompile(`^\$[0-9a-z]{1,8}\$[A-Za-z0-9./$=,+_-]{8,384}$`)

// CheckHash returns an error for what is no hash of crypt(5). It does not tell
// the hash.
func CheckHash(hash string) error {
	if !crypted.MatchString(hash) {
		return fmt.Errorf("it is no password hash as crypt(5) has them, like $6$... or $y$")
	}
	return nil
}

// Password returns the hash of a user, "" when it has none.
func (db *DB) Password(name string) (string, error) {
	t, i := db.passwords()
	f, err := t.Get(name)
	if f == nil || err != nil {
		return "", err
	}
	return f[i], nil
}

// passwords is the table that holds hashes, and their field.
func (db *DB) passwords() (*Table, int) {
	if db.Shadow != nil {
		return db.Shadow, 1
	}
	return db.Passwd, 1
}

// SetPassword sets the hash of a user; "!" locks a new one. A user whose line in
// passwd holds the hash itself gets it in shadow, where there is one.
func (db *DB) SetPassword(name, hash string) error {
	t, i := db.passwords()
	f, err := t.Get(name)
	if err != nil {
		return err
	}
	if f == nil { // a user that shadow does not have yet
		f = []string{name, "", "", "0", "99999", "7", "", "", ""}
	}
	f[i] = hash
	if t == db.Shadow {
		f[2] = "" // no day: its age is not looked at
		if db.Today > 0 {
			f[2] = strconv.Itoa(db.Today)
		}
		if err := db.shadowed(name); err != nil {
			return err
		}
	}
	return t.Set(f)
}

// Lock makes a password match nothing, in the way that passwd -u undoes. A user
// without a password, whom anybody is, is locked, too.
func (db *DB) Lock(name string) (changed bool, err error) {
	hash, err := db.Password(name)
	if err != nil || strings.HasPrefix(hash, "!") || strings.HasPrefix(hash, "*") {
		return false, err
	}
	t, i := db.passwords()
	f, err := t.Get(name)
	if f == nil || err != nil {
		return false, err
	}
	f[i] = "!" + f[i]
	return true, t.Set(f)
}

// shadowed makes a line of passwd say that the hash is in shadow.
func (db *DB) shadowed(name string) error {
	f, err := db.Passwd.Get(name)
	if f == nil || err != nil || f[1] == "x" {
		return err
	}
	f[1] = "x"
	return db.Passwd.Set(f)
}
