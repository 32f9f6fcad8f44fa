package acl

import (
	"bytes"
	"slices"
	"testing"
)

const users = "\x01\x02\x00\x00\x00\x00\x00\x05\x20\x00\x00\x00\x21\x02\x00\x00"

// windows is like the descriptor of C:\ on a Windows: what it hands down, and what
// is its own.
func windows() []byte {
	return build(protected,
		entry(allow, 0, fullAccess, administrators),
		entry(allow, toFiles|toFolders, fullAccess, administrators),
		entry(allow, toFiles|toFolders, fullAccess, system),
		entry(allow, toFolders|toFiles, 0x1200A9, users),
		entry(allow, toFiles|toFolders|inheritOnly, 1<<28, creatorOwner),
		entry(deny, toFiles|inheritOnly|noFurther, 1, users),
	)
}

func TestInherit(t *testing.T) {
	file := build(0,
		entry(allow, inherited, fullAccess, administrators), entry(allow, inherited, fullAccess, system), entry(allow, inherited, 0x1200A9, users),
		entry(allow, inherited, fullAccess, administrators), entry(deny, inherited, 1, users))
	const both = toFiles | toFolders | inherited
	folder := build(0,
		entry(allow, both, fullAccess, administrators), entry(allow, both, fullAccess, system), entry(allow, both, 0x1200A9, users),
		entry(allow, inherited, fullAccess, administrators), entry(allow, both|inheritOnly, 1<<28, creatorOwner))
	for name, test := range map[string]struct {
		folder bool
		want   []byte
	}{"file": {false, file}, "folder": {true, folder}} {
		if got, err := Inherit(windows(), test.folder); err != nil || !bytes.Equal(got, test.want) {
			t.Errorf("%s: %v\n%x\n%x", name, err, got, test.want)
		}
	}
	nothing := build(0, entry(allow, 0, fullAccess, users))
	if got, err := Inherit(nothing, false); err != nil || bytes.Contains(got, []byte(users)) {
		t.Errorf("%x, %v", got, err)
	}
	private, err := Inherit(Private(true), true)
	if err != nil || bytes.Contains(private, []byte(users)) {
		t.Errorf("%x, %v", private, err)
	}
}

func TestDamaged(t *testing.T) {
	whole := windows()
	for n := range whole {
		if _, err := Inherit(whole[:n], true); err == nil {
			t.Errorf("%d of %d bytes were taken", n, len(whole))
		}
	}
	for _, at := range []int{2, 16, 17, 19} {
		b := slices.Clone(whole)
		b[at] ^= 0xFF
		if _, err := Inherit(b, true); err == nil {
			t.Errorf("a change of byte %d was taken", at)
		}
	}
}

// FuzzInherit: what comes out can be inherited again.
func FuzzInherit(f *testing.F) {
	f.Add(windows(), true)
	f.Add(Private(false), false)
	f.Fuzz(func(t *testing.T, parent []byte, folder bool) {
		child, err := Inherit(parent, folder)
		if err != nil || len(child) > 0xFFFF {
			return
		}
		if _, err := Inherit(child, folder); err != nil {
			t.Errorf("%x: %v", child, err)
		}
	})
}
