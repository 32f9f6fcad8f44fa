package linux

import (
	"slices"
	"strings"
	"testing"

	"github.com/ingot-imaging/ingot/internal/customise"
	"github.com/ingot-imaging/ingot/internal/profile"
)

const testKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEYzHhQ+fPCkMCkk1f0sMUkvFUjWwKjJ3z8Z7pNQOaBD lab"

// full is a profile that says something about everything.
func full() profile.Settings {
	s := profile.Settings{Hostname: "lab-07"}
	s.Locale, s.Keyboard, s.TimeZone = "de_DE.UTF-8", "de(nodeadkeys)", "Europe/Berlin"
	s.Users = []profile.User{
		{Name: "alice", FullName: "Alice Liddell", Password: profile.Password{Plain: "wonder\"land'$(x)"}, Keys: []string{testKey}, Groups: []string{"root"}, Admin: true},
		{Name: "old", FullName: "New Name", Keys: []string{testKey}},
	}
	s.Network = []profile.Interface{
		{Name: "en*", DHCP: true},
		{MAC: "52-54-00-AA-BB-CC", Addresses: []string{"192.0.2.7/24", "2001:db8::7/64"}, Gateway: "192.0.2.1", DNS: []string{"192.0.2.53"}, Search: []string{"lab.example"}},
	}
	s.Files = []profile.File{{Path: "/etc/motd", Content: "hello\n"}, {Path: "/srv/lab/data/x", Content: "x", Mode: "4750", Owner: "alice:root"}}
	s.Scripts = []profile.Script{{Name: "first \"one\"\n", Content: "#!/bin/sh\necho first\n"}, {Name: "bad", Content: "#!/bin/sh\necho bad; exit 3\n"}, {Name: "last", Content: "#!/bin/sh\necho last\n"}}
	s.Linux.Root = profile.Password{Hash: "$y$j9T$abcdefgh$0123456789"}
	s.Linux.RootKeys = []string{testKey}
	s.Linux.KernelArgs = []string{"console=ttyS0,115200n8", "panic=10"}
	return s
}

func TestDebian(t *testing.T) {
	dir := debianTree.build(t)
	report := apply(t, dir, jobFor(full()))
	for name, want := range map[string]string{
		"etc/hostname":                    "lab-07\n",
		"etc/hosts":                       "127.0.0.1\tlocalhost\n127.0.1.1\tlab-07.lab.example\tlab-07 # reference\n192.0.2.9 reference.lab.example\n\n::1 localhost ip6-localhost\n",
		"etc/mailname":                    "lab-07.lab.example\n",
		"etc/default/locale":              "LANG=de_DE.UTF-8\n",
		"etc/locale.gen":                  "de_DE.UTF-8 UTF-8\nen_US.UTF-8 UTF-8\n",
		"etc/timezone":                    "Europe/Berlin\n",
		"etc/default/keyboard":            "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"de\"\nXKBVARIANT=\"nodeadkeys\"\nXKBOPTIONS=\"\"\n",
		"etc/default/grub":                "GRUB_DEFAULT=0\nGRUB_CMDLINE_LINUX_DEFAULT=\"quiet\"\nGRUB_CMDLINE_LINUX=\"console=ttyS0,115200n8 panic=10\"\n",
		"etc/network/interfaces":          "# comment\nauto lo\niface lo inet loopback\n\n# ingot: allow-hotplug enp1s0\n# ingot: iface enp1s0 inet static\n# ingot: \taddress 192.0.2.9/24\n# ingot: \tgateway 192.0.2.1\nsource /etc/network/interfaces.d/*\n",
		"home/alice/.ssh/authorized_keys": testKey + "\n",
		"root/.ssh/authorized_keys":       testKey + "\n",
	} {
		if got := read(t, dir, name); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, want)
		}
	}
	if got := read(t, dir, "boot/grub/grub.cfg"); !strings.Contains(got, " ro  quiet console=ttyS0,115200n8 panic=10\n") {
		t.Errorf("grub.cfg:\n%s", got)
	}
	t.Log(strings.Join(report.Notes, "\n"))
}

func TestFedora(t *testing.T) {
	dir := fedoraTree.build(t)
	s := full()
	s.TimeZone = ""
	report := apply(t, dir, jobFor(s))
	t.Log(strings.Join(report.Notes, "\n"))
	if !slices.Contains(report.Changed, "/.autorelabel") {
		t.Error("its new files have no labels")
	}
}

// TestTwice: a second run changes IDs and keys alone.
func TestTwice(t *testing.T) {
	for name, tr := range map[string]tree{"debian": debianTree, "fedora": fedoraTree} {
		t.Run(name, func(t *testing.T) {
			dir := tr.build(t)
			s := full()
			s.Linux.SSHHostKeys = keep
			if name == "fedora" {
				s.TimeZone = ""
			}
			apply(t, dir, jobFor(s))
			s.Linux.MachineID = keep
			second := apply(t, dir, jobFor(s))
			random := append(slices.Clone(seeds), "/etc/iscsi/initiatorname.iscsi")
			if rest := slices.DeleteFunc(second.Changed, func(name string) bool { return slices.Contains(random, name) }); len(rest) > 0 {
				t.Errorf("a second run changed %v", rest)
			}
		})
	}
}

// TestNoSettings: only what the disk makes necessary is changed.
func TestNoSettings(t *testing.T) {
	dir := debianTree.build(t)
	if r := apply(t, dir, customise.Job{}); len(r.Changed)+len(r.Rebuild) > 0 {
		t.Errorf("changed %v, rebuild %v", r.Changed, r.Rebuild)
	}
}
