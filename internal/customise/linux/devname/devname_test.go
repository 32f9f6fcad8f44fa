package devname

import (
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
)

func TestResolve(t *testing.T) {
	n := New(customise.Disk{GPT: true, Volumes: []customise.Volume{
		{Partition: 1, OldUUID: "ABCD-1234", UUID: "EF01-5678", OldLabel: "ESP", Label: "", OldID: "0A0A0A0A-0000-4000-8000-000000000001", ID: "0B0B0B0B-0000-4000-8000-000000000001"},
		{Partition: 2, OldUUID: "u2", UUID: "u2", OldLabel: "a b/ü", Label: "a b/ü"},
	}})
	for name, want := range map[string]string{
		"UUID=abcd-1234":   "UUID=EF01-5678",
		"UUID='ABCD-1234'": "UUID='EF01-5678'",
		"LABEL=ESP":        "UUID=EF01-5678",
		"LABEL=esp":        "LABEL=esp",
		"PARTUUID=0a0a0a0a-0000-4000-8000-000000000001":              "PARTUUID=0b0b0b0b-0000-4000-8000-000000000001",
		"/dev/disk/by-partuuid/0a0a0a0a-0000-4000-8000-000000000001": "/dev/disk/by-partuuid/0b0b0b0b-0000-4000-8000-000000000001",
		"/dev/disk/by-uuid/ABCD-1234":                                "/dev/disk/by-uuid/EF01-5678",
		`/dev/disk/by-label/a\x20b\x2fü`:                             `/dev/disk/by-label/a\x20b\x2fü`,
		"/dev/sda1":                                                  "/dev/sda1", "UUID=": "UUID=", "": "", "PARTUUID=": "PARTUUID=", "UUID": "UUID", "LABEL=\"": "LABEL=\"",
	} {
		if _, got := n.Resolve(name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	if v, _ := n.Resolve(`/dev/disk/by-label/a\x20b\x2fü`); v == nil || v.Partition != 2 {
		t.Errorf("the label with a blank means %v", v)
	}
	if got := escape("a b/ü"); got != `a\x20b\x2fü` {
		t.Error(got)
	}
	if ids := n.IDs(); len(ids) != 2 || ids["abcd-1234"] != "EF01-5678" {
		t.Errorf("%v", ids)
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("UUID=\"x\"")
	f.Add(`/dev/disk/by-label/\x2`)
	n := New(customise.Disk{OldID: "0a1b2c3d", ID: "99887766", Volumes: []customise.Volume{{Partition: 1, OldUUID: "x", UUID: "y", OldLabel: "x", Label: "z"}}})
	f.Fuzz(func(t *testing.T, name string) {
		if v, now := n.Resolve(name); v == nil && now != name {
			t.Fatalf("%q became %q", name, now)
		}
		unescape(name)
	})
}
