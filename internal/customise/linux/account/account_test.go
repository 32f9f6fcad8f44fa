package account

import (
	"bytes"
	"strings"
	"testing"
)

const (
	passwd = "# local\nroot:x:0:0:root:/root:/bin/bash\nodd line\nbob:x:1000:1000:Bob,room 5,,:/home/bob:/bin/sh\nhigh:x:60500:60500::/:/bin/sh\n+::::::\n"
	shadow = "root:*:19000:0:99999:7:::\nbob:$6$salt$hash:19000:1:2:3:4::\n"
	group  = "root:x:0:\nusers:x:100:\naudio:x:29:bob,root\nbob:x:1000:\n"
)

func newDB(t *testing.T) *DB {
	t.Helper()
	table := func(name, text string, fields int) *Table {
		tab, err := Parse(name, []byte(text), fields)
		if err != nil {
			t.Fatal(err)
		}
		return tab
	}
	return &DB{
		Passwd: table("passwd", passwd, PasswdFields), Shadow: table("shadow", shadow, ShadowFields),
		Group: table("group", group, GroupFields), GShadow: table("gshadow", "root:*::\naudio:!::bob\n", GShadowFields),
		SubUID: table("subuid", "bob:100000:65536\n", SubIDFields), SubGID: table("subgid", "", SubIDFields),
		Limits: ParseLimits(), Today: 20000,
	}
}

func TestAdd(t *testing.T) {
	db := newDB(t)
	u, err := db.Add(User{Name: "alice", FullName: "Alice", Home: "/home/alice", Shell: "/bin/sh"}, "users")
	if err != nil || u.UID != 1001 || u.GID != 1001 {
		t.Fatalf("%+v, %v", u, err)
	}
	for _, c := range []struct {
		table *Table
		want  string
	}{
		{db.Passwd, strings.Replace(passwd, "+::", "alice:x:1001:1001:Alice:/home/alice:/bin/sh\n+::", 1)},
		{db.Shadow, shadow + "alice:!:20000:0:99999:7:::\n"},
		{db.Group, group + "alice:x:1001:\n"},
		{db.GShadow, "root:*::\naudio:!::bob\nalice:!::\n"},
		{db.SubUID, "bob:100000:65536\nalice:165536:65536\n"},
		{db.SubGID, "alice:100000:65536\n"},
	} {
		if got := string(c.table.Bytes()); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.table.name, got, c.want)
		}
	}
	if err := db.Join("alice", "audio"); err != nil {
		t.Fatal(err)
	}
	if err := db.Join("alice", "audio"); err != nil {
		t.Fatal(err)
	}
	if f, _ := db.Group.Get("audio"); f[3] != "bob,root,alice" {
		t.Errorf("audio has %s", f[3])
	}
}

func TestChange(t *testing.T) {
	db := newDB(t)
	if err := db.Describe("bob", "Robert", "/bin/bash"); err != nil {
		t.Fatal(err)
	}
	if locked, err := db.Lock("bob"); !locked || err != nil {
		t.Error(locked, err)
	}
	if locked, err := db.Lock("bob"); locked || err != nil {
		t.Error("locked twice", err)
	}
	if got := string(db.Shadow.Bytes()); !strings.Contains(got, "bob:!$6$salt$hash:19000:1:2:3:4::\n") {
		t.Errorf("shadow:\n%s", got)
	}
	if err := db.SetPassword("bob", "$6$new$hash"); err != nil {
		t.Fatal(err)
	}
	if got := string(db.Shadow.Bytes()); !strings.Contains(got, "bob:$6$new$hash:20000:1:2:3:4::\n") {
		t.Errorf("shadow:\n%s", got)
	}
	if got := string(db.Passwd.Bytes()); !strings.Contains(got, "\nbob:x:1000:1000:Robert,room 5,,:/home/bob:/bin/bash\n") {
		t.Errorf("passwd:\n%s", got)
	}
}

func TestWithoutUserGroups(t *testing.T) {
	db := newDB(t)
	db.Limits = ParseLimits([]byte("UID_MIN 500\nUSERGROUPS_ENAB no\nUID_MAX nonsense\nHOME_MODE 0750 # x\n"))
	u, err := db.Add(User{Name: "x", Home: "/home/x", Shell: "/bin/sh"}, "users")
	if err != nil || u.GID != 100 || u.UID != 1001 || db.Limits.HomeMode != 0o750 {
		t.Errorf("%+v, %o, %v", u, db.Limits.HomeMode, err)
	}
}

func TestNumbersRunOut(t *testing.T) {
	db := newDB(t)
	db.Limits.UIDMin, db.Limits.UIDMax = 1000, 1000
	if _, err := db.Add(User{Name: "x"}, ""); err == nil {
		t.Error("a number was found")
	}
	db.Limits.UIDMin, db.Limits.UIDMax = 999, 1000
	if u, err := db.Add(User{Name: "x"}, ""); err != nil || u.UID != 999 {
		t.Errorf("%+v, %v", u, err)
	}
}

func TestHostile(t *testing.T) {
	db := newDB(t)
	for _, bad := range []string{"a:b", "a\nroot2::0:0:::", "a\x00b", "a\rb", "\x1b[2J"} {
		if _, err := db.Add(User{Name: "eve", FullName: bad, Home: "/h", Shell: "/s"}, ""); err == nil {
			t.Errorf("the full name %q was written", bad)
		}
		if err := db.SetPassword("bob", bad); err == nil {
			t.Errorf("the hash %q was written", bad)
		}
		if CheckHash(bad) == nil {
			t.Errorf("%q is a hash", bad)
		}
	}
	for _, good := range []string{"$6$rounds=5000$abc$0123456789./", "$y$j9T$abc$0123456789", "$2b$12$0123456789abcdefghijk"} {
		if err := CheckHash(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if _, err := Parse("passwd", []byte("root:x\x00"), PasswdFields); err == nil {
		t.Error("a zero byte was taken")
	}
	short, _ := Parse("passwd", []byte("bob:x:1\n"), PasswdFields)
	if _, err := short.Get("bob"); err == nil {
		t.Error("a short line was taken")
	}
}

// FuzzTable: what is not changed stays, byte by byte, and a change makes one line.
func FuzzTable(f *testing.F) {
	f.Add([]byte(passwd), "alice", "/bin/sh")
	f.Add([]byte("a:b\n\n\n"), "a", ":")
	f.Add([]byte{}, "", "")
	f.Fuzz(func(t *testing.T, text []byte, name, shell string) {
		table, err := Parse("passwd", text, PasswdFields)
		if err != nil {
			return
		}
		if got := table.Bytes(); !bytes.Equal(bytes.TrimSuffix(got, []byte("\n")), bytes.TrimSuffix(text, []byte("\n"))) {
			t.Fatalf("%q became %q", text, got)
		}
		db := &DB{Passwd: table, Group: &Table{name: "group", fields: GroupFields}, Limits: ParseLimits(text)}
		before := bytes.Count(table.Bytes(), []byte("\n"))
		if _, err := db.Add(User{Name: name, Shell: shell}, "users"); err != nil {
			return
		}
		if after := bytes.Count(table.Bytes(), []byte("\n")); after > before+1 {
			t.Fatalf("%d lines became %d", before, after)
		}
		if u, there, err := db.Lookup(name); err != nil || !there || u.Shell != shell {
			t.Fatalf("%+v, %v, %v", u, there, err)
		}
	})
}
